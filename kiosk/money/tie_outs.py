"""Two records of one day were made apart on purpose; each tie-out names a pair of figures that must be the same.

The machines counted (`tally`), the ledger moved (`movement`), its transfers stand in their own table, and each closing
says how things stood. A figure that ties in only one of them was changed by somebody, or booked by mistake.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from kiosk.money.business_day import Day, Flow, Sum, add, box_content, without_boxes

COUNTED = "the machines counted"
MOVED = "the ledger moved"
BOOKED = "its transfers say"
RECKONED = "before and since make"
STANDS = "it stands at"


class Tie(Struct, frozen=True):
    """One figure, from two sides. Where only amounts can agree, the counts are left at nothing."""

    day: str
    name: str
    left_says: str
    left: Sum
    right_says: str
    right: Sum

    @property
    def holds(self) -> bool:
        """Do both sides agree?"""
        return self.left == self.right


class Pair(Struct, frozen=True):
    """Lines of the tally, and the classes between which the ledger moved the same."""

    name: str
    lines: str
    debit: str
    credit: str
    counts: bool = True  # False: what has no known amount is counted too, and moves nothing


PAIRS = (
    Pair("fees earned", "fee/earned", "payer", "fee"),
    Pair("fees given back", "correction/reversed_fee", "fee", "payer"),
    Pair("promotions given", "promotion/given", "promotion", "carrier"),
    Pair("promotions taken back", "correction/reversed_promotion", "carrier", "promotion"),
    Pair("refunds done", "refund/done refund/done_elsewhere", "payer owed", "rail terminal"),
    Pair("refunds come back", "correction/refund_came_back", "rail terminal", "payer owed"),
    Pair("owed: issued", "owed/issued", "payer escrow owed suspense", "owed"),
    Pair("owed: revived", "owed/revived", "unclaimed", "owed"),
    Pair("owed: come back", "owed/came_back", "rail terminal", "owed"),
    Pair("owed: carried over", "owed/carried_over", "owed", "owed"),
    Pair("owed: spent", "owed/spent", "owed", "payer"),
    Pair("owed: paid out", "owed/paid_out", "owed", "payout"),
    Pair("owed: refunded", "owed/refunded", "owed", "rail terminal"),
    Pair("owed: unclaimed", "owed/unclaimed", "owed", "unclaimed"),
    Pair("suspense: valued", "suspense/valued", "surplus", "suspense"),
    Pair("suspense: settled", "suspense/settled", "suspense", "payer surplus owed", counts=False),
    Pair("suspense: not there", "suspense/not_there", "suspense", "doubt"),
)

# What each liability grew and shrank by, in the machines' own words.
LIFE = {
    "owed": ("issued revived came_back", "carried_over spent paid_out refunded unclaimed"),
    "unclaimed": ("unclaimed", "revived"),
    "suspense": ("", "settled not_there"),
}


def tie_outs(day: Day) -> Iterator[Tie]:
    """All of them, of one day."""
    yield Tie(
        day.day,
        "rows",
        "the range holds",
        Sum(day.last_seq - day.first_seq + 1),
        "rows of this day in it",
        Sum(day.rows),
    )
    yield from _cash(day)
    yield from _paid(day)
    yield from _carriers(day)
    for pair in PAIRS:
        sides = tallied(day, *pair.lines.split()), moved(day, pair.debit, pair.credit)
        yield _counted_and_moved(day, pair.name, *(sides if pair.counts else map(amount_of, sides)))
    yield from _lives(day)
    yield from _transfers(day)
    yield from _standing(day)
    yield from _accounts(day)


def tallied(day: Day, *lines: str) -> Sum:
    """What was counted on these lines; a line that ends in "/" or "#" means all that begin with it."""
    return total(
        counted
        for line, counted in day.tally.items()
        if any(line == wanted or (wanted[-1] in "/#" and line.startswith(wanted)) for wanted in lines)
    )


def moved(day: Day, debit: str, credit: str) -> Sum:
    """What moved from any of these classes to any of those; an empty text means all of them."""
    return total(
        flowed for flow, flowed in day.moved.items() if _among(flow.debit, debit) and _among(flow.credit, credit)
    )


def total(sums: Iterable[Sum]) -> Sum:
    """All of them together."""
    result = Sum()
    for one in sums:
        result += one
    return result


def amount_of(one: Sum) -> Sum:
    """Without its count."""
    return Sum(0, one.amount)


def count_of(one: Sum) -> Sum:
    """Without its amount."""
    return Sum(one.count)


def _among(account: str, names: str) -> bool:
    return not names or any(name in {account, account.partition(":")[0]} for name in names.split())


def _counted_and_moved(day: Day, name: str, left: Sum, right: Sum) -> Tie:
    return Tie(day.day, name, COUNTED, left, MOVED, right)


# The machines against the ledger -------------------------------------------------------------------------------------


def _cash(day: Day) -> Iterator[Tie]:
    for device in _owners(day, "cashbox"):
        box = f"cashbox:{device}"
        yield _counted_and_moved(day, f"cash into {device}", tallied(day, f"cash/{device}#"), moved(day, box, ""))
        yield from _pieces(day, device)
        out = tallied(day, f"cash_out/{device}#")
        yield _counted_and_moved(day, f"cash out of {device}", out, moved(day, "loss", box))
        counted, collected = tallied(day, f"box/{device}/counted"), moved(day, f"collected:{device}", "")
        yield _counted_and_moved(day, f"boxes of {device} counted", amount_of(counted), amount_of(collected))


def _pieces(day: Day, device: str) -> Iterator[Tie]:
    """Each note and each coin came with one transfer of its own value."""
    counted: dict[tuple[str, int], int] = {piece: 0 for piece in day.pieces if piece[0].startswith(f"{device}#")}
    for line, some in day.tally.items():
        if line.startswith(f"cash/{device}#"):
            piece = line.split("/")[1], _whole(line.rpartition("/")[2])
            counted[piece] = counted.get(piece, 0) + some.count
    for (box, value), count in sorted(counted.items()):
        transfers = Sum(day.pieces.get((box, value), 0))
        yield Tie(day.day, f"pieces worth {value} into {box}", COUNTED, Sum(count), BOOKED, transfers)


def _whole(value: str) -> int:
    return int(value) if value.isdecimal() else 0  # no piece is worth nothing, so this one ties to no transfer


def _paid(day: Day) -> Iterator[Tie]:
    """Whatever went from a device, a rail or a terminal to a payer came in on the same row, and shows which it is."""
    kinds: dict[str, Sum] = {line.removeprefix("paid/"): Sum() for line in day.tally if line.startswith("paid/")}
    for flow, flowed in day.moved.items():
        if flow.credit == "payer" and _among(flow.debit, "escrow suspense owed"):
            kind = _kind_of(day, flow.debit)
            kinds[kind] = kinds.get(kind, Sum()) + flowed
    for kind, flowed in kinds.items():
        yield _counted_and_moved(day, f"paid by {kind}", tallied(day, f"paid/{kind}"), flowed)


def _kind_of(day: Day, source: str) -> str:
    name = source.partition(":")[2]
    for holder in (f"rail:{name}", f"terminal:{name}"):
        if Flow(holder, source) in day.moved:
            return holder
    return {"owed": "claim", "suspense": "suspense"}.get(source, "cash")


def _carriers(day: Day) -> Iterator[Tie]:
    tallied_for = {line.split("/")[1] for line in day.tally if line.startswith("delivery/")}
    for carrier in sorted({*_owners(day, "carrier"), *tallied_for}):
        account, line = f"carrier:{carrier}", f"delivery/{carrier}/"
        given = tallied(day, f"{line}accepted", f"{line}contradicted")
        taken = tallied(day, f"{line}reversed", f"{line}recovered")
        net = moved(day, "", account) - moved(day, account, "")
        yield _counted_and_moved(day, f"delivered by {carrier}", amount_of(given - taken), amount_of(net))
        for outcome, kind in (("sent", "pending"), ("accepted", "post"), ("declined", "void")):
            transfers = total(n for how, n in day.booked.items() if how[:3] == (kind, "payer", account))
            counted = tallied(day, f"{line}{outcome}")
            yield Tie(day.day, f"top-ups {outcome}, {carrier}", COUNTED, count_of(counted), BOOKED, count_of(transfers))


def _lives(day: Day) -> Iterator[Tie]:
    """Opening, what was added and what was taken, against what is there at the end."""
    arisen = tallied(day, "suspense/") - tallied(day, "suspense/settled", "suspense/not_there")
    suspended = moved(day, "escrow payer doubt surplus", "suspense")
    yield _counted_and_moved(day, "suspense: arisen", amount_of(arisen), amount_of(suspended))
    for liability, (more, less) in LIFE.items():
        prefix = "suspense" if liability == "suspense" else "owed"
        grown = tallied(day, *(f"{prefix}/{word}" for word in more.split())) if more else arisen
        shrunk = tallied(day, *(f"{prefix}/{word}" for word in less.split()))
        reckoned = day.before.balances.get(liability, 0) + grown.amount - shrunk.amount
        stands = day.after.balances.get(liability, 0)
        yield Tie(day.day, f"{liability} at the end", COUNTED, Sum(0, reckoned), STANDS, Sum(0, stands))


# The ledger against itself -------------------------------------------------------------------------------------------


def _transfers(day: Day) -> Iterator[Tie]:
    """The day's sums against the transfers that they are sums of."""
    flows: dict[Flow, Sum] = {flow: Sum() for flow in day.moved}
    causes: dict[str, Sum] = {
        line.removeprefix("correction/"): Sum() for line in day.tally if line.startswith("correction/")
    }
    for how, booked in day.booked.items():
        if how.kind in {"direct", "post", "correction"}:
            flow = Flow(how.debit, how.credit)
            flows[flow] = flows.get(flow, Sum()) + booked
        if how.kind == "correction":
            causes[how.cause] = causes.get(how.cause, Sum()) + booked
    for flow, booked in sorted(flows.items()):
        yield Tie(day.day, f"from {flow.debit} to {flow.credit}", MOVED, day.moved.get(flow, Sum()), BOOKED, booked)
    for cause, booked in sorted(causes.items()):
        yield Tie(day.day, f"corrections, {cause}", COUNTED, tallied(day, f"correction/{cause}"), BOOKED, booked)


def _standing(day: Day) -> Iterator[Tie]:
    """How things stood before, and what the day did to them, against how they stand after it."""
    before, after = day.before, day.after
    for name in sorted({*before.balances, *after.balances, *(end for flow in day.moved for end in flow)}):
        gained = total(flowed for flow, flowed in day.moved.items() if flow.credit == name)
        lost = total(flowed for flow, flowed in day.moved.items() if flow.debit == name)
        reckoned = before.balances.get(name, 0) + gained.amount - lost.amount
        stands = after.balances.get(name, 0)
        yield Tie(day.day, f"balance of {name}", RECKONED, Sum(0, reckoned), STANDS, Sum(0, stands))
    yield Tie(day.day, "all balances", "must be", Sum(), "together are", Sum(0, sum(after.balances.values())))
    promises = dict(before.promises)
    for how, booked in day.booked.items():
        here = promises.get(how.credit, Sum())
        if how.kind == "pending":
            promises[how.credit] = here + booked
        elif how.kind in {"post", "void"}:
            promises[how.credit] = here - booked
    for name in sorted({*promises, *after.promises}):
        reckoned, stands = promises.get(name, Sum()), after.promises.get(name, Sum())
        yield Tie(day.day, f"promises to {name}", RECKONED, reckoned, STANDS, stands)
    if day.now is None:  # of the present day the counters are reckoned and stand nowhere yet
        ever = add(before.ever, without_boxes(day.tally))
        for line in sorted({*ever, *after.ever}):
            reckoned, stands = ever.get(line, Sum()), after.ever.get(line, Sum())
            yield Tie(day.day, f"counter of {line}", RECKONED, reckoned, STANDS, stands)


def _accounts(day: Day) -> Iterator[Tie]:
    """Only now can each account be asked."""
    if day.now is None:
        return
    for name in sorted({*day.now.promised, *(name for name, amount in day.now.reserved.items() if amount)}):
        reserved, promised = day.now.reserved.get(name, 0), day.now.promised.get(name, 0)
        yield Tie(
            day.day, f"reserved out of {name}", "its accounts say", Sum(0, reserved),
            "its promises say", Sum(0, promised),
        )  # fmt: skip
    for box, posted in day.now.boxes.items():
        inside = box_content(day.boxes[box])
        yield Tie(
            day.day, f"cash in box {box}", "counted since it was put in", amount_of(inside),
            "its account holds", Sum(0, -posted),
        )  # fmt: skip


def _owners(day: Day, kind: str) -> list[str]:
    start = f"{kind}:"
    known = {*day.before.balances, *day.after.balances, *(end for flow in day.moved for end in flow)}
    of_tally = {line.split("/")[1].partition("#")[0] for line in day.tally if line.startswith(("cash/", "cash_out/"))}
    owners = {name.removeprefix(start) for name in known if name.startswith(start)}
    return sorted(owners | of_tally if kind == "cashbox" else owners)
