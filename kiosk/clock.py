"""Whether this computer's clock can be believed, as its own kernel says: somebody keeps it in step with others."""

import ctypes

STATE_BYTES = 512  # more than the kernel's struct timex has on any machine; all nothing: asked, and not set
OUT_OF_STEP = 5  # TIME_ERROR


def is_in_step() -> bool:
    """Tell it; where the kernel cannot be asked, nobody vouches for the clock."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(STATE_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= state < OUT_OF_STEP
