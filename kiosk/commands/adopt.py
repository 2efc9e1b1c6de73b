"""`kiosk adopt` goes on with a journal that was restored or moved, under a new incarnation.

Until people have checked what its claims are worth elsewhere, they are frozen; `--release` thaws them one by one.
"""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kiosk import config
from kiosk.amount import plain
from kiosk.commands import Subparsers
from kiosk.errors import UsageError
from kiosk.flow.claim import Claim
from kiosk.flow.core import Core
from kiosk.flow.facts import ClaimFrozen, ClaimThawed
from kiosk.money import folder, heads, secret
from kiosk.money.entry import ENCODER
from kiosk.money.heads import Found
from kiosk.money.journal import OWN_STORY, Journal, JournalAdopted, Step
from kiosk.money.verify import verify
from kiosk.progress_bar import ProgressBar


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk adopt --config FILE --by NAME (--reason TEXT | --release CLAIM… | --release-all)`."""
    parser = subparsers.add_parser(
        "adopt",
        description="Go on with a journal that was restored or moved: under a new incarnation, and with its claims"
        " frozen. Then release the claims that were checked.",
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file of this terminal")
    parser.add_argument("--by", required=True, metavar="NAME", help="who does it: it stands in the journal")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--reason", metavar="TEXT", help="adopt the journal, for this reason")
    what.add_argument("--release", type=int, nargs="+", metavar="CLAIM", help="thaw the claims of these numbers")
    what.add_argument("--release-all", action="store_true", help="thaw all frozen claims")


def run(args: Namespace) -> int:
    """Adopt, or release; 1 if a signed head could not be written."""
    for name in ("by", "reason"):
        written: str | None = getattr(args, name)
        if written is not None and not (written.strip() and written.isprintable()):
            problem = f"--{name} says nothing that can be printed"
            raise UsageError(problem, "write a short text")
    found = config.read(args.config)
    now_ms = time.time_ns() // 1_000_000
    if args.reason is not None:
        lines = _adopt(found, args.by, args.reason, now_ms)
    else:
        lines = _release(found, args.by, None if args.release_all else args.release, now_ms)
    for line in lines:
        print(line)
    ...
