"""What each event of a validator, each reject code and each refusal means."""

from devices.note_path import Moving, Report, Returned, StartedUp
from devices.ssp.wire import Event, Status
from kiosk.ports.fault import Fault

REPORTS: dict[Event, Report] = {
    Event.INITIALISING: Moving(),
    Event.STACKING: Moving(),
    Event.STACKED: Moving(),  # it was credited before
    Event.NOTE_STORED: Moving(),
    Event.REJECTING: Moving(),
    Event.REJECTED: Returned(),
    Event.SLAVE_RESET: Moving(),
    Event.CASHBOX_REPLACED: Moving(),
    Event.NOTE_CLEARED_FROM_FRONT: Returned(),  # at power-up, and out already
}
AT_POWER_UP: dict[Event, Report] = {
    Event.NOTE_CLEARED_INTO_CASHBOX: StartedUp("stacker"),
    Event.PAID_INTO_STACKER_AT_POWER_UP: StartedUp("stacker"),
    Event.PAID_INTO_STORE_AT_POWER_UP: StartedUp("stacker"),
}
FAULTS = {
    Event.UNSAFE_JAM: Fault.JAM,
    Event.SAFE_JAM: Fault.STACKER_JAM,
    Event.FRAUD_ATTEMPT: Fault.CHEATED,
    Event.STACKER_FULL: Fault.STACKER_FULL,
    Event.CASHBOX_REMOVED: Fault.BOX_REMOVED,
    Event.NOTE_PATH_OPEN: Fault.OPEN,
}
STARTS = {Event.SLAVE_RESET, Event.NOTE_CLEARED_FROM_FRONT}
LASTING = {Event.STACKER_FULL, Event.CASHBOX_REMOVED}  # perhaps said once, and true until one of these:
HEALING = {Event.CASHBOX_REPLACED, Event.SLAVE_RESET, Event.READ, Event.STACKING}
QUIET = {
    Event.DISABLED,
    Event.CHANNEL_DISABLE,
    Event.PAYOUT_OUT_OF_SERVICE,  # nothing is ever paid out
    Event.NOTE_FLOAT_REMOVED,
    Event.NOTE_FLOAT_ATTACHED,
    Event.DEVICE_FULL,  # the store; notes go into the box
}
REASONS = {
    0x01: "length",
    0x02: "average",
    0x03: "coastline",
    0x04: "graph",
    0x05: "buried",
    0x06: "channel_inhibited",
    0x07: "second_note",
    0x09: "cross_channel",
    0x0A: "rear_sensor",
    0x0B: "too_long",
    0x0C: "inhibited",
    0x0D: "slow_mechanism",
    0x0E: "strimming",
    0x0F: "fraud_channel",
    0x10: "no_note",
    0x11: "peak",
    0x12: "twisted",
    0x13: "escrow_timeout",
    0x14: "barcode",
    0x15: "no_cam",
    0x16: "slot_1",
    0x17: "slot_2",
    0x18: "too_fast",
    0x19: "width",
    0x1A: "too_short",
    0x1B: "payout",
    0x1C: "double_note",
    0x1D: "unable_to_stack",
    0x1F: "credit_card",
}
REFUSALS: dict[int, Fault] = {Status.KEY_NOT_SET: Fault.NO_KEY, Status.SOFTWARE_ERROR: Fault.FIRMWARE}
