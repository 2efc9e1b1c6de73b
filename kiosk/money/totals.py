"""Every figure has a section and a name. Days add up; how things stood is told of the first and the last of them."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from kiosk.amount import Money, plain
from kiosk.money.accounts import CHART
from kiosk.money.business_day import Day, Standing, Sum, add, box_content, without_boxes
from kiosk.money.tie_outs import LIFE


class Figure(Struct, frozen=True):
    """What is no number of things has no count."""

    count: int | None
    amount: int  # minor units of the journal's one currency


Totals = dict[str, dict[str, Figure]]

# The sections in their order, each with the first word of the tally lines that it shows.
SECTIONS = {
    "paid": "paid",
    "delivered": "delivery",
    "cash": "cash",
    "cash_out": "cash_out",
    "owed": "owed",
    "unclaimed": "",
    "in_doubt": "",
    "suspense": "suspense",
    "refunds": "refund",
    "corrections": "correction",
    "fees": "fee",
    "promotions": "promotion",
    "claims": "",
    "sales": "sale",
    "notes": "note",
    "orders": "order",
    "cards": "card",
    "boxes": "box",
    "alarms": "alarm",
    "balances": "",
    "promises": "",
    "since_collection": "",
    "since_installation": "",
}
# What is a correction, and belongs to another section besides.
TAKEN_BACK = {
    "correction/reversed_fee": ("fees", "given_back"),
    "correction/reversed_promotion": ("promotions", "taken_back"),
}
ASSETS = {name for name, line in CHART.items() if line.side == "asset"}
_SECTION_OF = {head: section for section, head in SECTIONS.items() if head}


def totals(days: Sequence[Day], currency: str) -> Totals:
    """The figures of one day, or of several in a row."""
    before, after = days[0].before, days[-1].after
    tally: dict[str, Sum] = {}
    for day in days:
        tally = add(tally, without_boxes(day.tally))
    result: Totals = {section: {} for section in SECTIONS}
    for line in in_order(tally):
        section, name = _place(line, currency)
        old = result.setdefault(section, {}).get(name, Figure(0, 0))
        result[section][name] = _figure(tally[line] + Sum(old.count or 0, old.amount))
    for line, (section, name) in TAKEN_BACK.items():
        if line in tally:
            result[section][name] = _figure(tally[line])
    for liability in LIFE:
        result[liability] = _life(liability, result[liability], result, before, after)
    result["in_doubt"] = _in_doubt(after)
    result["balances"] = {
        name: Figure(None, -amount if name.partition(":")[0] in ASSETS else amount)
        for name, amount in sorted(after.balances.items())
        if amount
    }
    result["promises"] = {name: _figure(promised) for name, promised in sorted(after.promises.items())}
    result["since_collection"] = _since_collection(days[-1], currency)
    result["since_installation"] = {_named(line, currency): _figure(after.ever[line]) for line in in_order(after.ever)}
    return result


def in_order(lines: Iterable[str]) -> list[str]:
    """By name, and denominations by their value."""
    return sorted(lines, key=lambda line: [(int(word) if word.isdecimal() else 0, word) for word in line.split("/")])


def _figure(one: Sum) -> Figure:
    return Figure(one.count, one.amount)


def _place(line: str, currency: str) -> tuple[str, str]:
    head, _, name = line.partition("/")
    section = _SECTION_OF.get(head, head)
    if section in {"cash", "cash_out"}:
        return section, _named(line, currency).removeprefix(f"{head}/").partition("/")[2]
    known = [word for words in LIFE["owed"] for word in words.split()]
    if section == "owed" and name not in known:
        return "claims", name
    return section, name


def _named(line: str, currency: str) -> str:
    """With the denomination as it is written: `cash/bill/note/20.00`."""
    rest, _, last = line.rpartition("/")
    counts_pieces = line.startswith(("cash/", "cash_out/"))
    return f"{rest}/{plain(Money(int(last), currency))}" if counts_pieces and last.isdecimal() else line


def _life(
    liability: str, counted: Mapping[str, Figure], all_of_them: Totals, before: Standing, after: Standing
) -> dict[str, Figure]:
    """From the opening to the closing: first what it grew by, then what it shrank by."""
    source = all_of_them["owed"] if liability == "unclaimed" else counted
    more, less = (words.split() for words in LIFE[liability])
    causes = [name for name in counted if liability == "suspense" and name not in less]
    return {
        "opening": Figure(None, before.balances.get(liability, 0)),
        **{name: source.get(name, Figure(0, 0)) for name in (*more, *causes, *less)},
        "closing": Figure(None, after.balances.get(liability, 0)),
    }


def _in_doubt(after: Standing) -> dict[str, Figure]:
    """Notes that nobody can find, and top-ups that no carrier has answered for."""
    notes = {
        f"notes/{name.partition(':')[2]}": Figure(None, -amount)
        for name, amount in sorted(after.balances.items())
        if amount and name.startswith("doubt:")
    }
    deliveries = {
        f"deliveries/{name.partition(':')[2]}": _figure(promised)
        for name, promised in sorted(after.promises.items())
        if promised.count and name.startswith("carrier:")
    }
    return {**notes, **deliveries}


def _since_collection(day: Day, currency: str) -> dict[str, Figure]:
    """Each box in use: all that is in it, and piece by piece."""
    result: dict[str, Figure] = {}
    for box, pieces in sorted(day.boxes.items()):
        result[box] = _figure(box_content(pieces))
        for piece in in_order(pieces):
            name = _named(piece, currency).removeprefix("cash/")
            result[f"{box}/{name}"] = _figure(pieces[piece])
    return result
