"""When all is quiet, each note and coin is in one place, and the journal says which; then people come and count.

The truth is what the simulated devices, providers and cards really hold.
"""

from collections import Counter
from collections.abc import Iterator

from kiosk.flow.box import Box
from kiosk.flow.note import Note
from kiosk.flow.suspense import Suspense
from kiosk.money import accounts
from kiosk.money.heads import Found
from kiosk.money.verify import verify
from kiosk.simulate.campaign import TURNS_MAX, tidy_up
from kiosk.simulate.judge import Violation
from kiosk.simulate.staff import Staff
from tests.kiosk.flow.laws import Books
from tests.powercut.cabinet import Cabinet

NOTE_ENDS = {"stacked", "returned", "in_doubt"}


def come_to_rest(cabinet: Cabinet) -> None:
    """Let everything happen that is still to happen by itself."""
    for _ in range(TURNS_MAX):
        if not cabinet.agenda.turn():
            return
    msg = f"nothing comes to rest within {TURNS_MAX} turns"
    raise Violation(msg)


def complaints_at_rest(cabinet: Cabinet) -> Iterator[str]:
    """Hold the truth against the journal before any person has touched anything."""
    books = cabinet.drawer.books()
    yield from books.broken_laws()
    suspense = [thing for thing in books.all_of(Suspense) if thing.state != "settled"]
    yield from _cash(cabinet, books, suspense)
    yield from _notes(cabinet, books)
    in_doubt = Counter(thing.device for thing in suspense if thing.note or thing.amount is None)
    for device, times in in_doubt.items():
        if times > cabinet.cuts:  # one note, and what fell into the coin slot at the same moment
            yield f"{cabinet.cuts} cuts left {times} amounts of {device} in doubt"
    sales = Counter(
        network.top_ups[key].sale for network in cabinet.networks.values() for key in network.times_credited
    )
    for sale, times in sales.items():
        if times > 1:
            yield f"sale {sale} was delivered {times} times"
    for account, amount in books.posted.items():
        if account.startswith(("loss:", "recovered:")):
            yield f"{account} holds {amount}, though only the power was cut"


def _cash(cabinet: Cabinet, books: Books, suspense: list[Suspense]) -> Iterator[str]:
    """Every piece in a box is in its account, in doubt, or announced as unknown."""
    for device in cabinet.devices.values():
        counted = {thing.box for thing in books.all_of(Box) if thing.device == device.name and thing.state == "counted"}
        for box in {*device.full, device.box} - counted:
            booked = -books.posted.get(accounts.cashbox(device.name, box), 0)
            here = [thing for thing in suspense if (thing.device, thing.box) == (device.name, box)]
            doubted = sum(thing.amount.minor for thing in here if thing.amount and _found(cabinet, books, thing))
            unknown = device.forgotten[box]
            if device.boxes[box] != booked + doubted + unknown:
                yield (
                    f"{device.boxes[box]} is in {device.name}#{box}: {booked} is booked, {doubted} in doubt,"
                    f" {unknown} forgotten by the device"
                )
            # A device that forgets over and over has nothing to say in the end: then only the count shows it.
            said = any(thing.device == device.name and thing.amount is None for thing in suspense)
            if unknown and cabinet.cuts == 1 and not said:
                yield f"{unknown} was forgotten in {device.name}#{box}, and nothing says so"


def _found(cabinet: Cabinet, books: Books, suspense: Suspense) -> bool:
    """Tell whether somebody who looks for this note will find it."""
    note = books.things.get(suspense.note)
    in_box = isinstance(note, Note) and cabinet.bill.in_box.get(note.position) == suspense.box
    return suspense.state == "doubtful" and in_box


def _notes(cabinet: Cabinet, books: Books) -> Iterator[str]:
    """A note that the host wanted in the box is known by its value, and has come to an end."""
    notes = {note.position: note for note in books.all_of(Note)}
    for position, amount in cabinet.asked_to_stack.items():
        note = notes.get(position)
        if note is None or note.amount != amount or note.state not in NOTE_ENDS:
            yield f"note {position} of {amount} was to be stacked, the journal says {note}"


def complaints_of_memory(cabinet: Cabinet, wiped: bytes) -> Iterator[str]:
    """A night after the last cut, what was wiped is in no file any more, whatever that cut had brought back."""
    for name, content in cabinet.drawer.disk.files().items():
        if cabinet.wiped_after == cabinet.cuts and wiped in content:
            yield f"what was wiped is still in {name}"


def let_people_come(cabinet: Cabinet) -> None:
    """Boxes are counted, doubts looked for, suspense settled; then every account has to agree with the truth."""
    tidy_up(cabinet, Staff(cabinet))
    cabinet.judge.final()


def complaints_of_verification(cabinet: Cabinet) -> Iterator[str]:
    """Let the product verify its own journal, chain and derived tables, from the first row to the last."""
    report = verify(cabinet.drawer.connection, Found())
    yield from map(str, report.problems)
