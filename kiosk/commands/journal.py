"""`kiosk journal verify | list | show | export` reads a journal, whether the terminal runs or not.

It changes nothing in it, with one exception: whoever asks to see personal data unmasked is named in the journal first.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import msgspec

from kiosk import clock, config
from kiosk.amount import plain
from kiosk.commands import Subparsers
from kiosk.commands.journaled_text import journaled
from kiosk.config import Config
from kiosk.counted import counted
from kiosk.errors import UsageError
from kiosk.money import folder, heads, secret, story
from kiosk.money.business_day import DAY_HELP, check_day, named_day, reading
from kiosk.money.database import JournalError
from kiosk.money.entry import ENCODER
from kiosk.money.export import lines
from kiosk.money.folder import Connection
from kiosk.money.heads import HEAD_NAME
from kiosk.money.journal import JournalBroken
from kiosk.money.personal import printable
from kiosk.money.step import PersonalShown, Step
from kiosk.money.verify import HeadReport, Report, verify
from kiosk.progress_bar import ProgressBar

UNBELIEVABLE = 1
HEAD_UNWRITTEN = 1
LIST_LINE = "{:>8}  {:<8}  {:>10}  {:>10}  {:<10}  {:<24}  {}"
CANDIDATES_MAX = 20  # listed when a name fits several sales


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk journal verify | list | show | export`."""
    parser = subparsers.add_parser(
        "journal", description="Verify the journal, list the sales of a day, show the story of one, or export."
    )
    verbs = parser.add_subparsers(title="what to do", metavar="VERB", required=True)

    one = verbs.add_parser(
        "verify",
        help="say whether every row, every transfer and every derived table can be believed",
        description="Follow every row from the first, reckon the ledger anew, and compare all that is derived.",
    )
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument("--data", type=Path, metavar="DIR", help="the data folder of the terminal")
    which.add_argument(
        "--config", type=Path, metavar="FILE", help="the TOML file of this terminal, which names key and head as well"
    )
    one.add_argument(
        "--public-key", type=Path, metavar="FILE", help="the terminal's public key, from outside the data folder"
    )
    one.add_argument("--head", type=Path, metavar="FILE", help="a signed head that was kept elsewhere")
    one.add_argument("--json", action="store_true", help="print the report as JSON")
    one.add_argument("--progress", action="store_true", help="show how far it is, even where no terminal is")
    one.set_defaults(run=_verify)

    one = verbs.add_parser(
        "list",
        help="list the sales of a business day",
        description="List the sales that were opened on a business day, one line each.",
    )
    _journal_of(one)
    one.add_argument("--day", metavar="D", help=DAY_HELP)
    one.set_defaults(run=_list)

    one = verbs.add_parser(
        "show", help="tell the story of one sale", description="Tell the whole story of one sale in plain words."
    )
    one.add_argument("what", metavar="SALE", help="its number, its name, or the last group of its claim code")
    _which_journal(one)
    one.set_defaults(run=_show)

    one = verbs.add_parser(
        "export", help="print every row for other programs", description="Print every row as one line of JSON."
    )
    _which_journal(one)
    one.set_defaults(run=_export)


def _journal_of(parser: ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--data", type=Path, metavar="DIR", help="the data folder of a terminal")
    which.add_argument("--config", type=Path, metavar="FILE", help="the TOML file of this terminal")


def _which_journal(parser: ArgumentParser) -> None:
    _journal_of(parser)
    parser.add_argument(
        "--unmasked", action="store_true", help="show personal data; it is journaled, so it wants --config and --by"
    )
    parser.add_argument("--by", metavar="NAME", help="who asks to see it")


def run(args: Namespace) -> int:
    """Do what the verb says."""
    verb: Callable[[Namespace], int] = args.run
    return verb(args)


# Verify --------------------------------------------------------------------------------------------------------------


def _verify(args: Namespace) -> int:
    """Print the report; 1 if there is anything in the journal that cannot be believed."""
    data, key, head = _proofs(args)
    public_key = None if key is None else folder.public_key(key, data)
    elsewhere = None if head is None else folder.head_elsewhere(head, data)
    bar = ProgressBar("rows", wanted=args.progress)
    with closing(folder.open_for_reading(data)) as connection:
        report = verify(
            connection, heads.find(data / HEAD_NAME), elsewhere=elsewhere, public_key=public_key, progress=bar
        )
    bar.wipe()
    print(_as_json(report) if args.json else "\n".join(_as_text(report)))
    return UNBELIEVABLE if report.problems else 0


def _proofs(args: Namespace) -> tuple[Path, Path | None, Path | None]:
    """The data folder, the public key and the head from elsewhere; what is named goes before what is configured."""
    if args.config is None:
        return args.data, args.public_key, args.head
    journal = config.read(args.config, key_required=False).journal
    return journal.data, args.public_key or secret.public_path(journal.machine_key), args.head or journal.head_copy


def _as_json(report: Report) -> str:
    written = {"believed": not report.problems, "rate": report.rate, **msgspec.structs.asdict(report)}
    return msgspec.json.format(msgspec.json.encode(written)).decode()


def _as_text(report: Report) -> Iterator[str]:
    yield f"{counted(report.rows, 'row')} in {report.seconds:.1f} s, {counted(report.rate, 'row')} a second"
    if report.identity:
        own = report.identity
        yield f"  journal         terminal {own.terminal}, {own.mode}, {own.currency}, incarnation {own.incarnation}"
    for adoption in report.adoptions:
        yield f"  adopted         with row {adoption.row}, {_moment(adoption.at)}, by {adoption.by}: {adoption.reason}"
    yield from _head_lines("signed head", report.head)
    if report.head_elsewhere:
        yield from _head_lines("head elsewhere", report.head_elsewhere)
    yield f"  authenticity    {_authenticity(report)}"
    if report.problems:
        yield "This journal CANNOT be believed:"
        yield from (f"  {problem}" for problem in report.problems)
        yield "Take no money with it, and keep it as it is. Put the newest copy back that can be believed, then run"
        yield "`kiosk adopt`: it goes on where rows are missing at the end, and mends nothing else."
    else:
        yield "Every row, every transfer and every derived table agrees."
    if not report.head_elsewhere:
        yield "If rows and head were set back together, nothing here can show it: that needs a head that was printed or"
        yield "sent elsewhere (--head FILE)."


def _head_lines(which: str, found: HeadReport) -> Iterator[str]:
    head = found.head
    if head is None:
        yield f"  {which:<16}none: rows that were cut off at the end would not be missed"
    else:
        beyond = f"rows beyond it: {found.rows_beyond:,}"
        yield f"  {which:<16}of row {head.seq:,}, {_moment(head.at)}; {beyond}"
    for warning in found.warnings:
        yield f"  {'':<16}{warning}"


def _authenticity(report: Report) -> str:
    signatures = {found.signature for found in (report.head, report.head_elsewhere) if found and found.head}
    if "wrong" in signatures:
        return "WRONG: a head was not signed by the owner of this public key"
    if signatures == {"right"}:
        return "checked: the head was signed by the owner of this public key"
    return "unchecked: it takes a signed head, and --public-key FILE from outside the data folder"


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


# List ----------------------------------------------------------------------------------------------------------------


def _list(args: Namespace) -> int:
    """Print one line for each sale of the day."""
    if args.day is not None:
        check_day(args.day)
    found, data = _chosen(args)
    zone = found.terminal.timezone if found else None
    with reading(data) as connection:
        day = named_day(connection, args.day)
        sales = list(story.of_day(connection, day, zone))
    print(f"{counted(len(sales), 'sale')} of {day}")
    if sales:
        print(LIST_LINE.format("number", "time", "paid", "delivered", "state", "name", "card").rstrip())
    for sale in sales:
        amounts = (plain(sale.paid), plain(sale.delivered))
        print(LIST_LINE.format(sale.number, f"{sale.at:%H:%M:%S}", *amounts, sale.state, sale.key, sale.card).rstrip())
    return 0


# Show and export -----------------------------------------------------------------------------------------------------


def _show(args: Namespace) -> int:
    """Print the story of the one sale that is meant."""
    found, data = _chosen(args)
    zone = found.terminal.timezone if found else None
    with closing(folder.open_for_reading(data)) as connection:
        sale = _one_sale(connection, args.what, zone)
    failures = _record(found, args, [sale])
    with closing(folder.open_for_reading(data)) as connection:
        told = story.tell(connection, sale, zone, unmasked=args.unmasked)
    print(told.title)
    for line in told.personal:
        for pair in _in_words(line) if args.unmasked else [line]:
            print(f"  {pair}")
    day = ""
    for line in told.lines:
        if f"{line.at:%Y-%m-%d}" != day:
            day = f"{line.at:%Y-%m-%d}"
            print(f"\n{day}, {line.at.tzinfo}")
        print(f"{line.at:%H:%M:%S}  {line.text}")
    print()
    for sentence in told.summary:
        print(sentence)
    return HEAD_UNWRITTEN if failures else 0


def _in_words(line: str) -> list[str]:
    """What was recorded of a customer as fields of JSON is told as pairs; anything else stays as it was written."""
    label, _, written = line.partition(": ")
    try:
        fields = msgspec.json.decode(written, type=dict[str, str | int | None])
    except msgspec.DecodeError:
        return [line]
    return [f"{label} {printable(name)}: {printable(str(value))}" for name, value in fields.items()] or [line]


def _one_sale(connection: Connection, what: str, zone: tzinfo | None) -> int:
    sales = story.find(connection, what)
    if len(sales) > 1:
        for sale in sales[:CANDIDATES_MAX]:
            print(story.candidate(connection, sale, zone))
        problem = f'{len(sales)} sales answer to "{what}"'
        raise UsageError(problem, "write the name of one of them, which stands in brackets")
    if not sales:
        problem = f'no sale answers to "{what}"'
        raise UsageError(problem, "write its number, its name, or the last group of its claim code")
    return sales[0]


def _export(args: Namespace) -> int:
    """Print every row."""
    found, data = _chosen(args)
    failures = _record(found, args, [])
    sys.stdout.flush()
    with closing(folder.open_for_reading(data)) as connection:
        for line in lines(connection, unmasked=args.unmasked):
            sys.stdout.buffer.write(line + b"\n")  # the rows' exact bytes, whatever the locale
    return HEAD_UNWRITTEN if failures else 0


def _chosen(args: Namespace) -> tuple[Config | None, Path]:
    if args.config is None:
        return None, args.data
    found = config.read(args.config)
    return found, found.journal.data


def _record(found: Config | None, args: Namespace, sales: list[int]) -> list[str]:
    """Name in the journal who sees personal data, before it is shown; without sales it is about all of them.

    The heads that could not be written are told, and are the answer.
    """
    if not args.unmasked:
        return []
    if found is None or args.by is None:
        problem = "whoever sees personal data is named in the journal"
        raise UsageError(problem, "write --config FILE --by NAME with --unmasked")
    by = journaled("--by", args.by)
    now_ms = time.time_ns() // 1_000_000
    with closing(folder.open_for_money(found)) as journal:
        fact = ENCODER.encode(PersonalShown(by, sales))
        try:
            journal.commit(Step(now_ms, fact, sales=sales, clock_trusted=clock.is_in_step()))
        except JournalBroken as error:
            raise JournalError(str(error), "see to the disk, then run the command again") from error
        failures = folder.sign_head(journal, found, now_ms)
    for failure in failures:
        print(UsageError(failure, heads.UNWRITTEN), file=sys.stderr)
    return failures
