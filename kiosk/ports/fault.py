"""Why a device takes nothing, in one word each; the texts say it in sentences, with the remedy."""

from enum import StrEnum


class Fault(StrEnum):
    """What is wrong with a device or with its line. The vendor's own code goes beside it."""

    # its line
    PORT_MISSING = "port_missing"
    NOT_SERIAL = "not_serial"  # something is there, and is no port
    PORT_FORBIDDEN = "port_forbidden"
    PORT_TAKEN = "port_taken"
    UNPLUGGED = "unplugged"
    SILENT = "silent"
    GARBLED = "garbled"  # bytes that are no frame: noise, another speed, another protocol
    # what it is
    WRONG_KIND = "wrong_kind"
    FOREIGN_CURRENCY = "foreign_currency"
    NO_DENOMINATIONS = "no_denominations"
    REFUSED = "refused"  # it does not do as it is told
    UNKNOWN_EVENT = "unknown_event"
    NO_KEY = "no_key"  # its encryption was not agreed upon
    # what happened in it
    JAM = "jam"
    STACKER_JAM = "stacker_jam"
    STACKER_FULL = "stacker_full"
    BOX_REMOVED = "box_removed"
    CHEATED = "cheated"
    PAUSED = "paused"  # something is in the mouth that should not be there
    OPEN = "open"  # a lid or the validating head
    MOTOR = "motor"
    SENSOR = "sensor"
    FIRMWARE = "firmware"
    REJECTS_MANY = "rejects_many"  # it works, and takes too few of what people put in
    FAILURE = "failure"  # a failure that its vendor's code alone describes
