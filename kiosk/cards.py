"""A card's number is shown so that its holder knows it again, and nobody else learns it."""

import re

STARS = "****"
_BETWEEN = re.compile(r"[\s().+-]+")
_MOBILE = re.compile(r"(?:86)?(1\d{10})")
_ICCID = re.compile(r"89[0-9A-F]{16,20}")
LONG = 10  # digits from which the last four give little away
SHORT = 7  # digits below which everything does


def mask(number: str) -> str:
    """Mask what was typed or read: 138 **** 5678, 8986 **** 5678, **** 678."""
    bare = _BETWEEN.sub("", number.upper())
    mobile = _MOBILE.fullmatch(bare)
    if mobile:
        return f"{mobile[1][:3]} {STARS} {mobile[1][-4:]}"
    if _ICCID.fullmatch(bare):
        return f"{bare[:4]} {STARS} {bare[-4:]}"
    if len(bare) >= LONG:
        return f"{STARS} {bare[-4:]}"
    return f"{STARS} {bare[-3:]}" if len(bare) >= SHORT else STARS
