"""After a start every open thing is told so, and its own table says what to ask; the answers are ordinary facts.

No physical command is repeated here, and no request whose repetition could do harm: devices and providers are asked
what became of the last one. Being interrupted does no harm: a thing that was told twice asks twice.
"""

from collections.abc import Iterator

from kiosk.flow.acceptor import Acceptor
from kiosk.flow.core import Core
from kiosk.flow.facts import Restarted
from kiosk.ports.message import Command


def recover(core: Core, at_ms: int, *, clock_trusted: bool = True) -> Iterator[list[Command]]:
    """Tell everything that is open, oldest first; each turn is durable and brings what is to be asked of the world."""
    for thing in core.open_things():
        kind = str(thing.__struct_config__.tag)
        yield core.handle(Restarted(kind, thing.number), at_ms, clock_trusted=clock_trusted)


def last_positions(core: Core) -> dict[str, tuple[str, int]]:
    """Per device its serial number and the last event that was booked, for the driver to go on from."""
    return {thing.key: (thing.serial, thing.last) for thing in core.open_things() if isinstance(thing, Acceptor)}
