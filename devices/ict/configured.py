"""What the operator says of the device, because it cannot say so itself: which type of note is worth what.

The types are numbered as on the label of the device's data set: `note1` is the first. An option is "note4=20.00" or,
when the data set is of another currency than the terminal, "note4=20.00 USD" (and is refused). Beside them: "ict104" or
"ict106" (which is usual), and "model=V77E".
"""

import re

from msgspec import Struct

from devices.driver import Denomination, DeviceGone, Identity, Setting
from devices.ict import wire
from devices.ict.wire import ICT104, ICT106, Generation
from kiosk.amount import AmountError, parse
from kiosk.ports.fault import Fault

GENERATIONS = {"ict104": ICT104, "ict106": ICT106}
NOTE = re.compile(r"note(?P<kind>\d{1,2})=(?P<amount>[\d.]+)(?: (?P<currency>[A-Z]{3}))?", re.ASCII)
MODEL = "model="


class Configured(Struct, frozen=True):
    """The device as it was configured."""

    generation: Generation
    identity: Identity


def read(setting: Setting) -> Configured:
    """What the options say; DeviceGone, with the mistake by its name, if they say nothing that can be believed."""
    generations = [GENERATIONS[option] for option in setting.options if option in GENERATIONS] or [ICT106]
    models = [option.removeprefix(MODEL) for option in setting.options if option.startswith(MODEL)]
    named = setting.options - GENERATIONS.keys() - {MODEL + model for model in models}
    lines = sorted((_note(option, setting.currency) for option in named), key=lambda line: line.channel)
    if len({line.channel for line in lines}) < len(lines):
        raise DeviceGone(Fault.NO_DENOMINATIONS, "one type of note is configured twice")
    if len(generations) > 1 or len(models) > 1:
        raise DeviceGone(Fault.NO_DENOMINATIONS, "two devices are configured as one")
    model = models[0] if models else generations[0].name
    return Configured(generations[0], Identity(f"{model} (configured, not read)", denominations=tuple(lines)))


def _note(option: str, currency: str) -> Denomination:
    match = NOTE.fullmatch(option)
    if match is None or not 1 <= int(match["kind"]) <= wire.TYPES:
        raise DeviceGone(Fault.NO_DENOMINATIONS, f'"{option}" is not understood: write it like "note4=20.00"')
    try:
        amount = parse(match["amount"], match["currency"] or currency)
    except AmountError as error:
        raise DeviceGone(Fault.NO_DENOMINATIONS, str(error)) from error
    if not amount:
        raise DeviceGone(Fault.NO_DENOMINATIONS, f'"{option}" is worth nothing')
    return Denomination(int(match["kind"]), amount)
