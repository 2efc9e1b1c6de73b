"""`kiosk init` begins a journal, and makes the machine's secret key where there is none; it changes nothing that is."""

import os
import sys
import time
from argparse import Namespace
from pathlib import Path

from kiosk import config
from kiosk.commands import Subparsers
from kiosk.money import folder, heads, secret
from kiosk.money.step import Identity


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk init --config FILE`."""
    parser = subparsers.add_parser(
        "init", description="Begin a new journal in the data folder, and make the secret key where there is none."
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file of this terminal")


def run(args: Namespace) -> int:
    """Make the key, the folder, the journal and its first signed head; 1 if a head could not be written."""
    found = config.read(args.config, key_required=False)
    terminal, data, key_path = found.terminal, found.journal.data, found.journal.machine_key
    folder.check_free(data)  # a key that was lost is not replaced beside a journal that needs it
    made = secret.create(key_path, os.urandom)
    public_path = secret.write_public(key_path)

    now_ms = time.time_ns() // 1_000_000
    identity = Identity(terminal.id, folder.new_incarnation(os.urandom), terminal.mode, terminal.currency)
    journal = folder.create(data, identity, folder.calendar_of(found), os.urandom, at_ms=now_ms)
    head = heads.sign(journal, secret.read(key_path).signing_key(), now_ms)
    local, *copies = folder.head_places(found)
    earlier = {place: known for place in copies if (known := heads.find(place).head)}
    failures = heads.write(head, [local, *(place for place in copies if place not in earlier)])
    journal.close()

    print(f"A journal begins in {data}.")
    print(f"  terminal    {terminal.id}, {terminal.mode}, {terminal.currency}, incarnation {identity.incarnation}")
    print(f"  secret key  {key_path}{': made just now, keep a copy in a safe' if made else ': the one that was there'}")
    print(f"  public key  {public_path}: give it to whoever verifies the journal")
    for place, known in earlier.items():
        print(f"  but         {place} vouches for row {known.seq} of an earlier journal: no money is taken until")
        print("              it is put back, or given up with `kiosk adopt`")
    for failure in failures:
        print(f"kiosk: {failure}", file=sys.stderr)
    return 1 if failures else 0
