"""How often the power was cut stands at the end of the run."""

from collections.abc import Callable

import pytest

SAID = pytest.StashKey[list[str]]()

Say = Callable[[str], None]


@pytest.fixture
def say(pytestconfig: pytest.Config) -> Say:
    """Have a line printed when all tests are over."""
    return pytestconfig.stash.setdefault(SAID, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print them."""
    said: list[str] = config.stash.setdefault(SAID, [])
    for line in sorted(said):
        terminalreporter.write_line(line)
