"""The encryption of eSSP: a key that both ends agree on, AES over each command, and a count against repetition.

The key is 8 fixed bytes, which both ends know, and 8 that Diffie and Hellman's exchange gives them for one session; all
numbers go low byte first. Behind the 7E lies AES-128, block by block, of `LEN COUNT(4) data padding CRClo CRChi`. The
count is that of the encrypted commands of the session; a reply bears the count of its command and one more.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from msgspec import Struct

from devices.crc import ssp

DEFAULT_KEY = "0123456701234567"  # with which the devices leave the factory
BLOCK_BYTES = 16
NUMBER_BYTES = 8
COUNT_BYTES = 4
HEAD_BYTES = 1 + COUNT_BYTES
CHECK_BYTES = 2
# The vendor's own code keeps these numbers in signed 64 bits; one bit less fits either way.
PRIME_BITS = 63
PRIME_TRIES = 100_000  # one odd number in twenty-two is a prime
WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)  # enough to be certain below 2 ** 64

Entropy = Callable[[int], bytes]  # so many bytes that nobody can foretell


# The key -------------------------------------------------------------------------------------------------------------


def fixed_key(text: str) -> bytes | None:
    """The fixed half, written as 16 hexadecimal digits like 0123456701234567; nothing at all is the default."""
    try:
        key = bytes.fromhex(text or DEFAULT_KEY)
    except ValueError:
        return None
    return key[::-1] if len(key) == NUMBER_BYTES else None


class Offer(Struct, frozen=True):
    """What one end knows of an exchange: two public primes, and a secret of its own."""

    generator: int
    modulus: int
    secret: int

    @property
    def public(self) -> int:
        """The number that the other end is told."""
        return pow(self.generator, self.secret, self.modulus)

    def agreed(self, other: int) -> int:
        """The number that both ends know then, and nobody else."""
        return pow(other, self.secret, self.modulus)


def offer(entropy: Entropy) -> Offer:
    """New primes, the larger one as the generator, and a secret."""
    modulus, generator = sorted((prime(entropy), prime(entropy)))
    return Offer(generator, modulus, secret(entropy))


def answer(entropy: Entropy, generator: int, modulus: int) -> Offer:
    """The other end's part in an exchange over these primes."""
    return Offer(generator, modulus, secret(entropy))


def secret(entropy: Entropy) -> int:
    """A number that nobody can foretell."""
    return int.from_bytes(entropy(NUMBER_BYTES), "little") >> 1 or 1


def prime(entropy: Entropy) -> int:
    """A prime of full length."""
    for _ in range(PRIME_TRIES):
        number = int.from_bytes(entropy(NUMBER_BYTES), "little") >> 64 - PRIME_BITS
        number |= 1 | 1 << PRIME_BITS - 1
        if is_prime(number):
            return number
    msg = "the source of entropy gives no primes"
    raise ValueError(msg)


def is_prime(number: int) -> bool:
    """Miller and Rabin's test, certain for numbers of 64 bits."""
    if number < 2 or any(number % witness == 0 for witness in WITNESSES):  # noqa: PLR2004 - the first prime
        return number in WITNESSES
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, witness, odd, twos) for witness in WITNESSES)


def _passes(number: int, witness: int, odd: int, twos: int) -> bool:
    power = pow(witness, odd, number)
    if power in {1, number - 1}:
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False


def number_bytes(number: int) -> bytes:
    """A number as it goes over the line."""
    return number.to_bytes(NUMBER_BYTES, "little")


# What goes over the line ---------------------------------------------------------------------------------------------


class Sealed(Struct, frozen=True):
    """What was encrypted: a command or a reply, and its count."""

    count: int
    data: bytes


class Session:
    """One end's key for as long as it holds, and the count of what went over the line."""

    def __init__(self, fixed: bytes, agreed: int, entropy: Entropy) -> None:
        self._cipher = Cipher(AES(fixed + number_bytes(agreed)), ECB())  # noqa: S305 - the protocol's own mode
        self._entropy = entropy
        self.count = 0

    def seal(self, data: bytes) -> bytes:
        """Encrypt it under the present count."""
        padding = -(HEAD_BYTES + len(data) + CHECK_BYTES) % BLOCK_BYTES
        plain = bytes((len(data),)) + self.count.to_bytes(COUNT_BYTES, "little") + data + self._entropy(padding)
        encryptor = self._cipher.encryptor()
        return encryptor.update(plain + ssp(plain).to_bytes(CHECK_BYTES, "little")) + encryptor.finalize()

    def open(self, blocks: bytes) -> Sealed | None:
        """Decrypt it; None: it was encrypted under another key."""
        if not blocks or len(blocks) % BLOCK_BYTES:
            return None
        decryptor = self._cipher.decryptor()
        plain = decryptor.update(blocks) + decryptor.finalize()
        body, check = plain[:-CHECK_BYTES], plain[-CHECK_BYTES:]
        if ssp(body).to_bytes(CHECK_BYTES, "little") != check or HEAD_BYTES + body[0] > len(body):
            return None
        return Sealed(int.from_bytes(body[1:HEAD_BYTES], "little"), body[HEAD_BYTES : HEAD_BYTES + body[0]])
