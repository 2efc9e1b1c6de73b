"""Every fault of a device is told in words, with what to do about it."""

import pytest

from kiosk.ports.fault import Fault
from kiosk.texts import sentences


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_is_told_with_its_remedy(fault: Fault) -> None:
    says, remedy = (sentences("en")[f"fault.{fault}.{part}"] for part in ("says", "remedy"))
    assert says != remedy
    assert not says.endswith(".")
    assert not remedy.endswith(".")


def test_no_text_is_for_a_fault_that_does_not_exist() -> None:
    told = {key.split(".")[1] for key in sentences("en") if key.startswith("fault.")}
    assert told == {str(fault) for fault in Fault}
