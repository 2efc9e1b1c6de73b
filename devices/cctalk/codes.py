"""What the codes of the ccTalk specification mean for us: those of coins, of bills and of faults that persist.

A word is the reason for which something was given back, or news that change nothing.
"""

from kiosk.ports.fault import Fault

INHIBITED_COINS = range(128, 160)  # coin 1 to coin 32, each with its own code

COINS: dict[int, str | Fault] = {  # part 3, "coin acceptor error codes"
    0: "nothing",
    1: "rejected",
    2: "inhibited",
    3: "ambiguous",
    4: "wake_up_timeout",
    5: "validation_timeout",
    8: "too_close",
    9: Fault.MOTOR,  # accept gate not ready
    10: Fault.SENSOR,  # credit sensor not ready
    11: Fault.MOTOR,  # sorter not ready
    12: Fault.JAM,  # a rejected coin does not leave
    13: Fault.SENSOR,  # validation sensor not ready
    14: Fault.JAM,  # credit sensor blocked
    15: Fault.JAM,  # sorter blocked
    16: Fault.CHEATED,  # credit sensors passed in the wrong order
    17: Fault.CHEATED,  # backwards
    20: Fault.CHEATED,  # on a string
    21: "coin_expander_timeout",
    22: "coin_expander_unseen",
    23: Fault.CHEATED,  # at the credit sensor too early
    24: "repeated_trip",
    25: "slug",
    26: Fault.JAM,  # reject sensor blocked
    27: "games_overload",
    28: "meter_overload",
    29: Fault.MOTOR,  # accept gate does not close
    30: Fault.MOTOR,  # accept gate does not open
    31: Fault.JAM,  # in the manifold
    32: Fault.JAM,  # likewise
    33: Fault.MOTOR,  # manifold not ready
    34: "security_changed",
    35: Fault.MOTOR,
    37: "too_fast",
    38: "too_slow",
    39: "sorted_wrongly",
    40: Fault.CHEATED,  # by light
    253: "data_block_requested",
    254: "return_lever",
    255: Fault.FAILURE,
} | dict.fromkeys(INHIBITED_COINS, "inhibited")

UNCREDITED_COINS = {  # past the gate and not given back, and no credit for it: perhaps in the box
    6: "credit_sensor_timeout",
    7: "sorter_timeout",
    18: "too_fast_for_credit",
    19: "too_slow_for_credit",
    36: "swallowed",
}

BILL_RETURNED = 1
BILL_MASTER_INHIBIT = 0
UNKNOWN_BILL_STACKED = 21
BARCODE = 20

BILLS: dict[int, str | Fault | None] = {  # part 3, "bill validator error codes"; None: what was wrong is over
    2: "invalid",
    3: "transport",
    4: "inhibited",
    5: "inhibited_by_switch",
    6: Fault.JAM,  # in the transport, within reach of the customer
    7: Fault.STACKER_JAM,
    8: Fault.CHEATED,  # pulled back
    9: Fault.CHEATED,  # tampered with
    10: None,  # stacker in order
    11: Fault.BOX_REMOVED,
    12: None,  # stacker inserted
    13: Fault.MOTOR,  # stacker faulty
    14: Fault.STACKER_FULL,
    15: Fault.STACKER_JAM,
    16: Fault.JAM,  # in the transport, out of reach
    17: Fault.CHEATED,  # the sensors
    18: Fault.CHEATED,  # by a string
    19: Fault.MOTOR,  # of what keeps strings out
}

FAULTS = {  # part 3, "fault codes" of the self-check; any other is a failure
    2: Fault.SENSOR,  # inductive coils
    3: Fault.SENSOR,  # credit
    4: Fault.SENSOR,  # piezo
    5: Fault.SENSOR,  # reflective
    6: Fault.SENSOR,  # diameter
    7: Fault.SENSOR,  # wake-up
    8: Fault.SENSOR,  # sorter exit
    18: Fault.SENSOR,  # reject
    20: Fault.CHEATED,  # what keeps coins on strings out
    21: Fault.SENSOR,  # rim
    22: Fault.SENSOR,  # temperature
    1: Fault.FIRMWARE,  # EEPROM
    9: Fault.FIRMWARE,  # NVRAM
    28: Fault.FIRMWARE,  # no personality module
    29: Fault.FIRMWARE,  # its checksum
    30: Fault.FIRMWARE,  # ROM
    40: Fault.FIRMWARE,  # RAM
    46: Fault.FIRMWARE,  # flash, to be erased
    47: Fault.FIRMWARE,  # flash, to be written
    54: Fault.FIRMWARE,
    55: Fault.FIRMWARE,  # could not initialise
    57: Fault.FIRMWARE,  # kept in its boot loader
    19: Fault.OPEN,  # coin return
    51: Fault.OPEN,  # door
    35: Fault.MOTOR,  # coin expander
    37: Fault.MOTOR,  # transport
    42: Fault.MOTOR,  # gate does not close
    43: Fault.MOTOR,  # gate does not open
    36: Fault.SENSOR,  # bill validation
    41: Fault.SENSOR,  # string
    49: Fault.SENSOR,  # opto
    52: Fault.SENSOR,  # switch
    38: Fault.STACKER_JAM,
    39: Fault.JAM,
    44: Fault.BOX_REMOVED,
    45: Fault.STACKER_FULL,
}
