"""A number is told with its noun, which knows one from many."""


def counted(number: int, noun: str) -> str:
    """Say "1 visit", "0 visits" or "2,000 visits"; the noun is one that takes an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
