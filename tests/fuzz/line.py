"""A virtual line on which things go wrong, and which notices a driver that never lets go of it."""

from collections import deque
from random import Random

from msgspec import Struct

from devices.link import LinkLost
from devices.simulator import Simulator
from kiosk.ports.fault import Fault
from tests.devices.rig import Line
from tests.fuzz.mutation import Mutator
from tests.fuzz.witness import Witness

READS_MAX = 20_000  # in one turn, of bytes or of none
WRITES_MAX = 20_000
TURN_MAX_S = 900  # of virtual time: a protocol that asks twenty times, a second each, is within it


class HungError(Exception):
    """A turn of the driver does not end."""


class Weather(Struct, frozen=True):
    """What befalls an answer, with which chance; and what befalls a question."""

    harmed: float = 0
    noise: float = 0  # comes instead of it
    lost: float = 0
    in_pieces: float = 0
    unplugged: float = 0  # at any reading or writing
    interference: float = 0  # noise that nobody sent, while the driver waits
    misheard: float = 0  # the question is harmed, or noise comes instead


CALM = Weather()


class FuzzedLine(Line):
    """The link as the driver sees it."""

    _arrived: bytearray

    def __init__(self, simulator: Simulator, random: Random, witness: Witness) -> None:
        super().__init__(simulator, random)
        self.weather = CALM
        self.fuzzed = 0  # harmed questions and answers, and noises
        self._witness = witness
        self._mutator = Mutator(random)
        self._questions = Mutator(random)
        self._waiting: deque[bytes] = deque()  # the rest of an answer that comes in pieces
        self._reads = self._writes = self._turn_ms = 0

    def begin_turn(self) -> None:
        """The driver has its turn; until now everything that was on its way has arrived."""
        self._flush()
        self._reads = self._writes = 0
        self._turn_ms = self.now_ms

    def write(self, data: bytes) -> None:
        """As promised by Link."""
        self._writes += 1
        if self._writes > WRITES_MAX:
            msg = f"{WRITES_MAX} writes in one turn"
            raise HungError(msg)
        self._pull_the_cable()
        with self._witness.asked(data):
            super().write(self._misheard(data))

    def read(self, within_s: float) -> bytes:
        """As promised by Link."""
        self._reads += 1
        if self._reads > READS_MAX or self.now_ms - self._turn_ms > TURN_MAX_S * 1000:
            msg = f"{self._reads} reads in {self.now_ms - self._turn_ms} ms of one turn"
            raise HungError(msg)
        self._pull_the_cable()
        if self._waiting and not self._arrived:
            self._arrived += self._waiting.popleft()
        if within_s > 0 and self.random.random() < self.weather.interference:
            self.fuzzed += 1
            self._arrived += self._mutator.noise()
        return super().read(within_s)

    def _misheard(self, question: bytes) -> bytes:
        """What the device hears of it."""
        if self.random.random() >= self.weather.misheard:
            return question
        self.fuzzed += 1
        self._questions.saw(question)
        return self._questions.harm(question) or self._questions.noise()

    def _pull_the_cable(self) -> None:
        if self.random.random() < self.weather.unplugged:
            self._arrived.clear()
            self._waiting.clear()
            raise LinkLost(Fault.UNPLUGGED)

    def _carry(self) -> None:
        answer = self.simulator.take_sent()
        if not answer:
            return
        self._witness.saw(answer)
        self._mutator.saw(answer)
        self._flush()
        first, *rest = self._befallen(answer)
        self._arrived += first
        self._waiting.extend(rest)

    def _flush(self) -> None:
        self._arrived += b"".join(self._waiting)
        self._waiting.clear()

    def _befallen(self, answer: bytes) -> list[bytes]:
        """What becomes of it on its way."""
        chance, weather = self.random.random(), self.weather
        if chance < weather.harmed:
            self.fuzzed += 1
            return [self._mutator.harm(answer)]
        chance -= weather.harmed
        if chance < weather.noise:
            self.fuzzed += 1
            return [self._mutator.noise()]
        chance -= weather.noise
        if chance < weather.lost:
            return [b""]
        return self._mutator.pieces(answer) if chance - weather.lost < weather.in_pieces else [answer]
