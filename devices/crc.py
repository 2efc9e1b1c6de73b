"""The three cyclic checks that acceptors use, byte by byte from tables."""

from collections.abc import Callable


def _reflected(polynomial: int) -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        table.append(value)
    return tuple(table)


def _straight(polynomial: int) -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & 0x8000 else 0)) & 0xFFFF
        table.append(value)
    return tuple(table)


def _from_the_top(polynomial: int, initial: int) -> Callable[[bytes], int]:
    table = _straight(polynomial)

    def check(data: bytes) -> int:
        value = initial
        for byte in data:
            value = (value << 8 ^ table[value >> 8 ^ byte]) & 0xFFFF
        return value

    return check


_KERMIT = _reflected(0x8408)


def kermit(data: bytes) -> int:
    """CRC-16/KERMIT: CCNET and ID-003."""
    value = 0
    for byte in data:
        value = value >> 8 ^ _KERMIT[(value ^ byte) & 0xFF]
    return value


xmodem = _from_the_top(0x1021, 0)  # ccTalk's cyclic form
ssp = _from_the_top(0x8005, 0xFFFF)  # SSP
