"""A terminal's own files in a folder of the test's: configuration, key, and a journal that has lived."""

import re
from pathlib import Path

from kiosk import cli, config
from kiosk.config import Config

EXAMPLE = Path(__file__).parents[2] / "deploy" / "kiosk.example.toml"


def write_config(folder: Path, **changes: str) -> Path:
    """The example with some keys changed; a key that the example comments out is written."""
    text = EXAMPLE.read_text()
    for key, value in changes.items():
        text, found = re.subn(rf'^(# )?{key} = .*$', f'{key} = "{value}"', text, flags=re.MULTILINE)
        assert found == 1, key
    file = folder / "kiosk.toml"
    file.write_text(text)
    return file


def begun(folder: Path, **changes: str) -> Config:
    """A configured terminal whose journal has begun."""
    file = write_config(folder, **changes)
    assert cli.main(["init", "--config", str(file)]) == 0
    return config.read(file)
