"""`kiosk adopt` goes on with a journal that was restored or moved, under a new incarnation.

Until people have checked what its claims are worth elsewhere, they are frozen; `--release` thaws them one by one.
No command vouches for the clock, so none of them closes a business day.
"""

import os
import sys
import time
from argparse import Namespace
from contextlib import closing
from pathlib import Path

from kiosk import config
from kiosk.commands import Subparsers
from kiosk.config import Config
from kiosk.errors import UsageError
from kiosk.flow.claim import Claim
from kiosk.flow.core import Core, Stopped
from kiosk.flow.facts import ClaimFrozen, ClaimThawed
from kiosk.money import folder, heads, secret
from kiosk.money.entry import ENCODER
from kiosk.money.heads import Found
from kiosk.money.journal import JournalBroken, JournalError
from kiosk.money.step import OWN_STORY, JournalAdopted, Step
from kiosk.money.verify import verify
from kiosk.progress_bar import ProgressBar

FREEZABLE = ("waiting", "open", "held", "unclaimed")  # those that hold money or wait for it
UNDER_WAY = ("paying_out", "refunding")  # these have to end first; they are only named


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
    try:
        if args.reason is not None:
            failures = _adopt(found, args.by, args.reason, now_ms)
        else:
            failures = _release(found, args.by, args.release, now_ms)
    except (JournalBroken, Stopped) as error:
        raise JournalError(str(error), "see to the disk, then run the command again") from error
    for failure in failures:
        print(f"kiosk: {failure}", file=sys.stderr)
    return 1 if failures else 0


# Adopting ------------------------------------------------------------------------------------------------------------


def _adopt(found: Config, by: str, reason: str, now_ms: int) -> list[str]:
    """Write the adoption first and the new heads last: until they are there, no money is taken, whatever happens."""
    terminal, places = found.terminal, folder.head_places(found)
    key = secret.read(found.journal.machine_key)
    with closing(folder.open_for_writing(found.journal.data, folder.calendar_of(found), os.urandom)) as journal:
        folder.check_belongs(journal, found)
        _check_whole(found.journal.data)
        old = journal.identity
        if heads.find(places[0]).head is None:
            heads.write(heads.sign(journal, key.signing_key(), now_ms), places[:1])
        incarnation = folder.new_incarnation(os.urandom)
        adopted = JournalAdopted(terminal.id, incarnation, terminal.mode, terminal.currency, by, reason)
        journal.commit(Step(now_ms, ENCODER.encode(adopted), sales=(OWN_STORY,), clock_trusted=False))
        core = Core(journal, key.code_book(incarnation), os.urandom)
        for claim in _claims(core, FREEZABLE):
            core.handle(ClaimFrozen(claim.number), now_ms, clock_trusted=False)
        failures = folder.sign_head(journal, found, now_ms)
        for place in places:
            heads.set_aside(place, old.incarnation)

        print(f"The journal in {found.journal.data} is adopted with row {journal.seq}.")
        print(f"  incarnation {old.incarnation} of terminal {old.terminal}")
        print(f"  goes on as  {incarnation} of terminal {terminal.id}")
        for claim in _claims(core, (*FREEZABLE, "frozen", *UNDER_WAY)):
            print(f"  claim {claim.number}: {_described(claim)}")
        if _claims(core, ("frozen",)):
            print("Check what the frozen claims are worth, then: kiosk adopt --config FILE --by NAME --release CLAIM…")
    return failures


def _check_whole(data: Path) -> None:
    """An adoption forgives what is missing; it mends nothing that contradicts itself."""
    bar = ProgressBar("rows")
    with closing(folder.open_for_reading(data)) as connection:
        report = verify(connection, Found(), progress=bar)
    bar.wipe()
    if report.problems:
        problem = f"the journal contradicts itself: {report.problems[0]}"
        raise JournalError(problem, "an adoption does not mend that: put its newest copy back, and keep this one")


# Releasing -----------------------------------------------------------------------------------------------------------


def _release(found: Config, by: str, numbers: list[int] | None, now_ms: int) -> list[str]:
    key = secret.read(found.journal.machine_key)
    with closing(folder.open_for_money(found)) as journal:
        core = Core(journal, key.code_book(journal.identity.incarnation), os.urandom)
        frozen = [claim.number for claim in _claims(core, ("frozen",))]
        for number in numbers or ():
            if number not in frozen:
                problem = f"there is no frozen claim {number}"
                known = ", ".join(map(str, frozen)) or "none"
                raise UsageError(problem, f"nothing was released; frozen are: {known}")
        for number in numbers if numbers is not None else frozen:
            core.handle(ClaimThawed(number, by), now_ms, clock_trusted=False)
            thawed = core.thing(number)
            if isinstance(thawed, Claim):
                print(f"claim {number}: {_described(thawed)}")
        if not frozen:
            print("No claim is frozen.")
        return folder.sign_head(journal, found, now_ms)


def _claims(core: Core, states: tuple[str, ...]) -> list[Claim]:
    """The claims that are in one of these states."""
    found = (core.thing(number) for number in core.journal.in_states("claim", states))
    return [thing for thing in found if isinstance(thing, Claim)]


def _described(claim: Claim) -> str:
    """Say how a claim stands."""
    worth = f"worth {claim.balance}" if claim.balance else "worth nothing yet"
    return f"{claim.state.replace('_', ' ')}, its code ends in {claim.tail}, {worth}"
