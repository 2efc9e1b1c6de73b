"""What can happen to bytes on a line: flips, cuts, insertions, doublings, swaps, splices, and bytes out of nowhere."""

from collections import deque
from collections.abc import Callable
from random import Random

REMEMBERED = 40  # genuine answers that others are spliced from
RECENT = 4  # of them are too fresh: an old answer that arrives whole would be told by no driver from a new one
INSERTED_MAX = 8
NOISE_MAX = 40
LONG_NOISE = 300  # more than the longest short frame of any protocol
FLIPS_MAX = 4
HARMS_MAX = 3  # to one answer


class Mutator:
    """Does harm to answers, or to questions, from what it has seen of them."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._seen: deque[bytes] = deque(maxlen=REMEMBERED)
        self._alphabet = bytearray(range(256))
        self._harms: tuple[Callable[[bytes], bytes], ...] = (
            self._flip,
            self._overwrite,
            self._cut,
            self._insert,
            self._double,
            self._double_a_part,
            self._swap,
            self._turn_round,
            self._splice,
        )

    def saw(self, answer: bytes) -> None:
        """A genuine answer; its bytes come up in noise more often than others."""
        self._seen.append(answer)
        self._alphabet[self._random.randrange(256)] = self._random.choice(answer)

    def harm(self, answer: bytes) -> bytes:
        """The same, after an accident or several."""
        for _ in range(self._random.randint(1, HARMS_MAX)):
            if answer:
                answer = self._random.choice(self._harms)(answer)
        return answer

    def noise(self) -> bytes:
        """Bytes out of nowhere: any, or such as answers are made of."""
        size = LONG_NOISE if self._random.random() < 0.02 else self._random.randint(1, NOISE_MAX)
        if self._random.random() < 0.5:
            return self._random.randbytes(size)
        return bytes(self._random.choices(self._alphabet, k=size))

    def pieces(self, answer: bytes) -> list[bytes]:
        """The same in two pieces, or byte by byte."""
        if self._random.random() < 0.3:
            return [bytes((byte,)) for byte in answer]
        place = self._place(answer)
        return [answer[:place], answer[place:]]

    def _place(self, answer: bytes) -> int:
        return self._random.randrange(len(answer))

    def _part(self, answer: bytes) -> tuple[int, int]:
        start = self._place(answer)
        return start, self._random.randint(start, len(answer))

    def _flip(self, answer: bytes) -> bytes:
        harmed = bytearray(answer)
        for _ in range(self._random.randint(1, FLIPS_MAX)):
            harmed[self._place(answer)] ^= 1 << self._random.randrange(8)
        return bytes(harmed)

    def _overwrite(self, answer: bytes) -> bytes:
        harmed = bytearray(answer)
        harmed[self._place(answer)] = self._random.choice(self._alphabet)
        return bytes(harmed)

    def _cut(self, answer: bytes) -> bytes:
        start, end = self._part(answer)
        return answer[:start] + answer[end:]

    def _insert(self, answer: bytes) -> bytes:
        place = self._random.randint(0, len(answer))
        return answer[:place] + self.noise()[:INSERTED_MAX] + answer[place:]

    def _double(self, answer: bytes) -> bytes:
        return answer + answer

    def _double_a_part(self, answer: bytes) -> bytes:
        start, end = self._part(answer)
        return answer[:end] + answer[start:]

    def _swap(self, answer: bytes) -> bytes:
        harmed = bytearray(answer)
        one, other = self._place(answer), self._place(answer)
        harmed[one], harmed[other] = harmed[other], harmed[one]
        return bytes(harmed)

    def _turn_round(self, answer: bytes) -> bytes:
        place = self._place(answer)
        return answer[place:] + answer[:place]

    def _splice(self, answer: bytes) -> bytes:
        """The head of this one and the tail of an older one, or the other way round; of neither all."""
        older = list(self._seen)[:-RECENT]
        if not older:
            return answer
        head, tail = answer, self._random.choice(older)
        if self._random.random() < 0.5:
            head, tail = tail, head
        spliced = head[: self._place(head)] + tail[self._place(tail) + 1 :]
        return answer if any(whole in spliced for whole in older) else spliced
