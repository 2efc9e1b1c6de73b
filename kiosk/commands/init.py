"""`kiosk init` begins a journal, and makes the machine's secret key where there is none; it changes nothing that is."""

import os
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from kiosk import config, streams
from kiosk.commands import Subparsers
from kiosk.config import Config
from kiosk.errors import UsageError
from kiosk.money import folder, heads, known_heads, secret
from kiosk.money.known_heads import KnownHead
from kiosk.money.step import Identity
from kiosk.money.terminal_config import calendar_of, head_places


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk init --config FILE`."""
    parser = subparsers.add_parser(
        "init", description="Begin a new journal in the data folder, and make the secret key where there is none."
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file of this terminal")


def run(args: Namespace) -> int:
    """Make the folder, the key, the journal and its first signed head; 1 if a head could not be written."""
    found = config.read(args.config, key_required=False)
    terminal, data, key_path = found.terminal, found.journal.data, found.journal.machine_key
    earlier = known_heads.read(found)
    made = not key_path.exists()
    now_ms = time.time_ns() // 1_000_000
    identity = Identity(terminal.id, folder.new_incarnation(os.urandom), terminal.mode, terminal.currency)
    journal = folder.create(
        data, identity, calendar_of(found), os.urandom, at_ms=now_ms, prepare=lambda: _make_key(key_path)
    )
    head = heads.sign(journal, secret.read(key_path).signing_key(), now_ms)
    taken = {kept.place for kept in earlier}
    failures = heads.write(head, [place for place in head_places(found) if place not in taken])
    journal.close()

    for failure in failures:
        streams.complain(UsageError(failure, heads.UNWRITTEN))
    streams.tell_what_is_done(_begun(found, identity, earlier, made=made))
    return 1 if failures else 0


def _begun(found: Config, identity: Identity, earlier: Sequence[KnownHead], *, made: bool) -> Iterator[str]:
    data, key_path = found.journal.data, found.journal.machine_key
    yield f"A journal begins in {data}."
    yield f"  terminal    {identity.terminal}, {identity.mode}, {identity.currency}, incarnation {identity.incarnation}"
    yield f"  secret key  {key_path}{': made just now, keep a copy in a safe' if made else ': the one that was there'}"
    yield f"  public key  {secret.public_path(key_path)}: give it to whoever verifies the journal"
    for kept in earlier:
        yield f"  but         {kept.place} vouches for row {kept.head.seq} of an earlier journal:"
        yield "              no money is taken until that is put back, or given up with `kiosk adopt`"


def _make_key(path: Path) -> None:
    """Make the secret where there is none, and its public half; a lost one is not replaced beside its journal."""
    secret.create(path, os.urandom)
    secret.write_public(path)
