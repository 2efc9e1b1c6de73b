"""From a device's section in the configuration to what its driver is given."""

from devices.driver import Setting
from devices.models import named
from kiosk.config import Device


def setting(name: str, device: Device, currency: str) -> Setting:
    """All that stands there; what the journal knows of the device comes on top."""
    model = named(device.protocol, device.model or "")
    return Setting(
        name,
        currency,
        address=device.address or 0,
        key=device.key.read_text().strip() if device.key else "",
        options=frozenset(device.options) | (model.options if model else frozenset[str]()),
    )
