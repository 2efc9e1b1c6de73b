"""What is particular about a model, as rows of data; no driver asks for a model by its name.

A row is found by the name that the configuration gives, or by what the device says of itself. Its options are given to
the driver as if they had been configured, and its advice is told to the technician.
"""

from fnmatch import fnmatchcase
from typing import Final

from msgspec import Struct


class Model(Struct, frozen=True):
    """One row. The README of its protocol says where it is from."""

    name: str  # as the configuration writes it
    protocol: str
    says: str = ""  # what it says of itself, with * for whatever differs; nothing: it cannot say
    options: frozenset[str] = frozenset()  # for its driver
    advice: str = ""


MODELS: Final = (
    Model("cashcode-sl", "ccnet", "SL*", advice="it starts up for as long as 40 seconds, and answers all the while"),
    Model(
        "cashcode-sm",
        "ccnet",
        "SM*",
        advice="with firmware 13xx or 14xx, its table may hold an attached acceptor's coins",
    ),
    Model(
        "cashcode-mvu",
        "ccnet",
        "MVU*",
        advice="with firmware 13xx or 14xx, its table may hold an attached acceptor's coins",
    ),
    Model("ict-l83", "ccnet", "L83*", advice="what is shown as its serial number is a part of what it says of itself"),
    Model("jcm-ivizion", "id003", "*VIZION*", advice="it may hold several notes in escrow unless it is set to one"),
    Model(
        "ict104", "ict", options=frozenset({"ict104"}), advice="only parity guards what it says: keep its cable short"
    ),
    Model("ict106", "ict", options=frozenset({"ict106"})),
    Model(
        "money-controls-sr3", "cctalk", "* SR3*", advice="it knows no master inhibit, and is closed by its mask alone"
    ),
    Model("azkoyen-x6", "cctalk", "AZK X6*", advice="in L66 mode it says nothing to much of what it does not know"),
)


def named(protocol: str, name: str) -> Model | None:
    """The row that the configuration names."""
    return next((model for model in MODELS if (model.protocol, model.name) == (protocol, name)), None)


def recognised(protocol: str, says: str) -> Model | None:
    """The row of a device that says this of itself."""
    rows = (model for model in MODELS if model.protocol == protocol and model.says)
    return next((model for model in rows if fnmatchcase(says.upper(), model.says.upper())), None)


def of_protocol(protocol: str) -> list[str]:
    """The names that the configuration may give."""
    return [model.name for model in MODELS if model.protocol == protocol]
