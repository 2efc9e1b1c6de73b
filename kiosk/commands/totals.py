"""`kiosk totals` shows a day's figures and the proof that they are right; a difference ends in status 1."""

import csv
import io
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from kiosk.amount import Money, plain
from kiosk.commands import Subparsers
from kiosk.errors import UsageError
from kiosk.money import folder, heads
from kiosk.money.business_day import (
    DAY_HELP,
    Day,
    Sum,
    against_head,
    check_day,
    days_within,
    known_days,
    named_day,
    read_day,
    reading,
)
from kiosk.money.database import read_identity
from kiosk.money.heads import HEAD_NAME, Found
from kiosk.money.step import Identity
from kiosk.money.tie_outs import LIFE, Tie, tie_outs
from kiosk.money.totals import Figure, Totals, totals

DIFFERS = 1
NO_HEAD = "rows that were cut off at the end would not be missed"
TITLES = {
    "paid": "Paid, by kind",
    "delivered": "Top-ups, by carrier and outcome",
    "cash": "Notes and coins taken, by denomination",
    "cash_out": "Notes that came out of a box again",
    "owed": "Owed",
    "unclaimed": "Unclaimed",
    "in_doubt": "In doubt at the end",
    "suspense": "Suspense",
    "refunds": "Refunds",
    "corrections": "Corrections, by cause",
    "fees": "Fees",
    "promotions": "Promotions",
    "claims": "Claims",
    "sales": "Sales",
    "notes": "Notes",
    "orders": "Orders",
    "cards": "Cards",
    "boxes": "Cash boxes",
    "alarms": "Alarms",
    "balances": "Balances at the end",
    "promises": "Open promises at the end, by whom they are made to",
    "since_collection": "Since collection, by box in use",
    "since_installation": "Since installation",
}
# Sections that say so when there is nothing in them; the others are left out then.
EXPECTED = {
    *("paid", "delivered", "cash", "owed", "in_doubt", "suspense", "refunds", "corrections", "fees", "promotions"),
    "since_collection",
}
ADDED_UP = {"paid", "cash"}
NAME_WIDTH = 56
COUNT_WIDTH = 12
AMOUNT_WIDTH = 20


class HeadSays(msgspec.Struct, frozen=True):
    """Whether the signed head beside the journal vouches for it, and if it does not, or is not there, what of it."""

    agrees: bool | None
    words: str = ""


class Report:
    """What was read, ready to be written in any of the formats."""

    def __init__(self, identity: Identity, days: Sequence[Day], head: HeadSays) -> None:
        self.identity = identity
        self.days = days
        self.head = head
        self.ties = [tie for day in days for tie in tie_outs(day)]
        self.differing = [tie for tie in self.ties if not tie.holds]

    def totals(self, *days: Day) -> Totals:
        """The figures of these days, or of all."""
        return totals(days or self.days, self.identity.currency)

    def plain(self, amount: int) -> str:
        """An amount as machines read it."""
        return plain(Money(amount, self.identity.currency))


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk totals --data DIR [--day D | --from D --to D] [--format table|json|csv]`."""
    parser = subparsers.add_parser(
        "totals",
        description="Print the totals of a business day, or of several; status 1 says that they do not tie out.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the data folder of the terminal")
    parser.add_argument("--day", metavar="D", help=DAY_HELP)
    parser.add_argument("--from", dest="first", metavar="D", help="the first of several days that are added up")
    parser.add_argument("--to", dest="last", metavar="D", help="the last of them")
    parser.add_argument(
        "--public-key", type=Path, metavar="FILE", help="the terminal's public key, from outside the data folder"
    )
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        default="table",
        help="table (to read), json, or csv (one table in which each day has its own lines)",
    )


def run(args: Namespace) -> int:
    """Print the totals; 1 if they contradict each other, or the journal's signed head."""
    report = read(args.data, args.day, args.first, args.last, args.public_key)
    for line in FORMATS[args.format](report):
        print(line)
    return DIFFERS if report.differing or report.head.agrees is False else 0


def read(data: Path, day: str | None, first: str | None, last: str | None, key: Path | None = None) -> Report:
    """Read what was asked for, all of it as it stood at one moment."""
    for written in (day, first, last):
        if written is not None:
            check_day(written)
    if day and (first or last):
        problem = "--day and --from/--to exclude each other"
        raise UsageError(problem, "name one day, or the two ends of a range")
    if bool(first) != bool(last):
        problem = "a range has two ends"
        raise UsageError(problem, "name both --from and --to, or one --day")
    public_key = None if key is None else folder.public_key(key, data)
    found = heads.find(data / HEAD_NAME)  # first, for the terminal may write on, and its head must not be ahead then
    with reading(data) as journal:
        identity = read_identity(journal)
        earliest, present = known_days(journal)
        first, last = (named_day(journal, written or day) for written in (first, last))
        _check_range(first, last, earliest, present)
        names = days_within(journal, first, last)
        if not names:
            when = f"on {first}" if first == last else f"from {first} to {last}"
            problem = f"nothing was booked {when}"
            raise UsageError(problem, f"name a day between {earliest} and {present} on which the terminal worked")
        head = _head_says(journal, data / HEAD_NAME, found, public_key)
        return Report(identity, [read_day(journal, name) for name in names], head)


def _head_says(journal: folder.Connection, place: Path, found: Found, public_key: bytes | None) -> HeadSays:
    if found.head is None:
        return HeadSays(None, "; ".join((*found.warnings, NO_HEAD)))
    against = against_head(journal, place, found.head)
    if not against and public_key and not found.head.is_signed_by(public_key):
        against = f"{place} was not signed by the owner of this public key"
    return HeadSays(not against, against)


def _check_range(first: str, last: str, earliest: str, present: str) -> None:
    """A range may begin before the first day, for nothing is left out by that; a day that is not there is a mistake."""
    if first > last:
        problem = f"--from {first} comes after --to {last}"
        raise UsageError(problem, "name the earlier day first")
    if last > present:
        problem = f"{last} lies after the present business day, {present}"
        raise UsageError(problem, f"name a day up to {present}")
    if last < earliest:
        problem = f"{last} lies before the first business day, {earliest}"
        raise UsageError(problem, f"name a day from {earliest} on")


# Formats -------------------------------------------------------------------------------------------------------------


def _as_json(report: Report) -> Iterator[str]:
    identity = report.identity

    def figure(one: Figure | Sum) -> dict[str, object]:
        return {"count": one.count, "amount": report.plain(one.amount)}

    written = {
        "terminal": identity.terminal,
        "incarnation": identity.incarnation,
        "mode": identity.mode,
        "currency": identity.currency,
        "days": [
            {
                "day": day.day,
                "closed": day.now is None,
                "first_seq": day.first_seq,
                "last_seq": day.last_seq,
                "last_hash": day.last_hash.hex(),
            }
            for day in report.days
        ],
        "head": report.head,
        "totals": {
            section: {name: figure(one) for name, one in figures.items()}
            for section, figures in report.totals().items()
        },
        "tie_outs": {
            "checked": len(report.ties),
            "differing": [
                {
                    "day": tie.day,
                    "name": tie.name,
                    "sides": [
                        {"says": tie.left_says, **figure(tie.left)},
                        {"says": tie.right_says, **figure(tie.right)},
                    ],
                }
                for tie in report.differing
            ],
        },
    }
    yield msgspec.json.format(msgspec.json.encode(written)).decode()


def _as_csv(report: Report) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("day", "section", "name", "count", "amount"))
    for day in report.days:
        writer.writerow((day.day, "rows", f"{day.first_seq}-{day.last_seq}/{day.last_hash.hex()}", day.rows, ""))
        for section, figures in report.totals(day).items():
            for name, one in figures.items():
                writer.writerow((day.day, section, name, one.count, report.plain(one.amount)))
    if report.head.words:
        writer.writerow((report.days[-1].day, "head", report.head.words, "", ""))
    for tie in report.differing:
        for says, side in ((tie.left_says, tie.left), (tie.right_says, tie.right)):
            writer.writerow((tie.day, "differing", f"{tie.name}: {says}", side.count, report.plain(side.amount)))
    yield out.getvalue().rstrip("\n")


def _as_table(report: Report) -> Iterator[str]:
    identity, days = report.identity, report.days
    when = days[0].day if len(days) == 1 else f"{len(days)} business days, {days[0].day} to {days[-1].day}"
    state = "still open" if days[-1].now else "closed"
    yield f"Totals of {when} ({state})"
    yield f"terminal {identity.terminal}, {identity.mode}, incarnation {identity.incarnation}, {identity.currency}"
    yield ""
    yield f"{'day':<12}{'rows':<20}hash of the last row"
    for day in days:
        yield f"{day.day:<12}{f'{day.first_seq}-{day.last_seq}':<20}{day.last_hash.hex()}"
    for section, figures in report.totals().items():
        empty = not any(one.count or one.amount for one in figures.values())
        if section in EXPECTED or not empty:
            yield ""
            yield from [_line(TITLES[section], "none", "")] if empty else _section(section, figures, report)
    yield ""
    yield from _verdict(report)


def _section(section: str, figures: dict[str, Figure], report: Report) -> Iterator[str]:
    counted = any(one.count is not None for one in figures.values())
    worth = any(one.amount for one in figures.values()) or not counted
    yield _line(TITLES.get(section, section), "count" if counted else "", "amount" if worth else "")
    if section in ADDED_UP:
        counts, amounts = zip(*((one.count or 0, one.amount) for one in figures.values()), strict=True)
        figures = {**figures, "all": Figure(sum(counts), sum(amounts))}
    for name, one in figures.items():
        count = "" if one.count is None else str(one.count)
        yield _line(f"  {_words(section, name)}", count, report.plain(one.amount) if worth else "")


def _words(section: str, name: str) -> str:
    if section not in LIFE or name in {"opening", "closing"}:
        return name.replace("/", " ")
    return f"{'-' if name in LIFE[section][1].split() else '+'} {name.replace('_', ' ')}"


def _line(name: str, count: str, amount: str) -> str:
    return f"{name:<{NAME_WIDTH}}{count:>{COUNT_WIDTH}}{amount:>{AMOUNT_WIDTH}}".rstrip()


def _verdict(report: Report) -> Iterator[str]:
    if report.head.agrees is False:
        yield f"The journal does NOT agree with its signed head: {report.head.words}."
    elif report.head.words:
        yield f"No signed head proves the journal: {report.head.words}."
    if not report.differing:
        yield f"All {len(report.ties)} tie-outs hold."
        return
    do = "does" if len(report.differing) == 1 else "do"
    yield f"{len(report.differing)} of {len(report.ties)} tie-outs {do} NOT hold:"
    for tie in report.differing:
        yield from _sides(tie, report)


def _sides(tie: Tie, report: Report) -> Iterator[str]:
    yield f"  {tie.day}  {tie.name}"
    counted = tie.left.count or tie.right.count
    for says, side in ((tie.left_says, tie.left), (tie.right_says, tie.right)):
        yield _line(f"      {says}", str(side.count) if counted else "", report.plain(side.amount))


FORMATS = {"table": _as_table, "json": _as_json, "csv": _as_csv}
