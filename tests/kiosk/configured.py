"""A terminal's own files in a folder of the test's: configuration, key, and a journal that has lived."""

import os
import re
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from kiosk import cli, config
from kiosk.config import Config
from kiosk.flow.claim import Claim
from kiosk.flow.core import Core
from kiosk.flow.facts import CancelAsked, CashChosen, SaleOpened
from kiosk.flow.reckoning import Sale
from kiosk.money import secret
from kiosk.money.folder import open_for_money, sign_head
from kiosk.ports.acceptor import DeviceIdle, DeviceReady
from kiosk.ports.bill_validator import NoteEscrowed, NoteStacked
from tests.kiosk.money.lived import TERMS, yuan

EXAMPLE = Path(__file__).parents[2] / "deploy" / "kiosk.example.toml"


def write_config(folder: Path, **changes: str) -> Path:
    """The example with some keys changed; a key that the example comments out is written."""
    text = EXAMPLE.read_text()
    for key, value in changes.items():
        text, found = re.subn(rf"^(# )?{key} = .*$", f'{key} = "{value}"', text, flags=re.MULTILINE)
        assert found == 1, key
    folder.mkdir(exist_ok=True)
    file = folder / "kiosk.toml"
    file.write_text(text)
    return file


def begun(folder: Path, **changes: str) -> Config:
    """A configured terminal whose journal has begun."""
    file = write_config(folder, **changes)
    assert cli.main(["init", "--config", str(file)]) == 0
    return config.read(file)


@contextmanager
def running(config: Config) -> Generator[Core]:
    """The terminal runs, and stops cleanly."""
    key = secret.read(config.journal.machine_key)
    with closing(open_for_money(config)) as journal:
        core = Core(journal, key.code_book(journal.identity.incarnation), os.urandom)
        core.handle(DeviceReady("bill", "B1"), journal.last_at_ms)
        yield core
        assert sign_head(journal, config, journal.last_at_ms) == []


def leave_money(core: Core, name: str, amount: int = 20) -> Claim:
    """A customer inserts a note, cancels, and leaves with a claim."""
    position = core.journal.seq
    at_ms = core.journal.last_at_ms + 1_000
    core.handle(SaleOpened(name, TERMS), at_ms, {"card": b'{"number":"13812345678"}'})
    sale = core.find("sale", name)
    assert isinstance(sale, Sale)
    facts = CashChosen(sale.number, ("bill",)), NoteEscrowed("bill", position, yuan(amount))
    for fact in (*facts, NoteStacked("bill", position), CancelAsked(sale.number), DeviceIdle("bill")):
        core.handle(fact, at_ms)
    claim = core.thing(sale.claim)
    assert isinstance(claim, Claim)
    assert claim.balance == yuan(amount)
    return claim
