"""`kiosk adopt` goes on with a journal that was restored or moved, under a new incarnation.

Until people have checked what its claims are worth elsewhere, they are frozen; `--release` thaws them one by one.
What is given up with it, rows that a known head vouches for and a lost key, is told and journaled with the reason.
A business day is closed by it only if the machine's clock is kept in step.
"""

import os
import signal
import time
from argparse import Namespace
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec.structs import asdict

from kiosk import clock, config, streams
from kiosk.amount import Money
from kiosk.commands import Subparsers
from kiosk.commands.journaled_text import journaled
from kiosk.config import Config
from kiosk.counted import counted
from kiosk.errors import UsageError
from kiosk.flow import adoption
from kiosk.flow.claim import Claim
from kiosk.flow.core import Core, Stopped
from kiosk.flow.facts import ClaimThawed
from kiosk.money import folder, heads, known_heads, secret
from kiosk.money.database import JournalError
from kiosk.money.heads import Found
from kiosk.money.journal import Journal, JournalBroken
from kiosk.money.known_heads import KnownHead
from kiosk.money.personal import printable
from kiosk.money.step import Identity, JournalAdopted
from kiosk.money.terminal_config import calendar_of, head_places
from kiosk.money.verify import Report, verify
from kiosk.progress_bar import ProgressBar

LISTED_MAX = 20  # frozen claims that are told one by one
CODES_LOST = "no claim code that was made with the old one can ever be recognised again"
ADOPT_AGAIN = "see to that place and run the command again: no money is taken while an earlier head stands there"


def add(subparsers: Subparsers) -> None:
    """Declare `kiosk adopt --config FILE --by NAME (--reason TEXT [--new-key] | --release CLAIM… | --release-all)`."""
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
    parser.add_argument(
        "--new-key",
        action="store_true",
        help="with --reason: the secret key is lost for good, and with it every claim code; go on with another one",
    )


def run(args: Namespace) -> int:
    """Adopt, or release; 1 if a signed head could not be written."""
    by = journaled("--by", args.by)
    reason = None if args.reason is None else journaled("--reason", args.reason)
    if args.new_key and reason is None:
        problem = "--new-key goes with --reason"
        raise UsageError(problem, "adopt the journal first, then release its claims")
    found = config.read(args.config, key_required=False)
    now_ms = time.time_ns() // 1_000_000
    try:
        if reason is not None:
            return _adopt(found, by, reason, now_ms, new_key=args.new_key)
        return _release(found, by, args.release, now_ms)
    except (JournalBroken, Stopped) as error:
        raise JournalError(str(error), "see to the disk, then run the command again") from error


def _told(lines: Iterable[str], failures: Sequence[str], remedy: str) -> int:
    """Say what was done, and of which heads it could not be said; the exit status is the answer."""
    for failure in failures:
        streams.complain(UsageError(failure, remedy))
    streams.tell_what_is_done(lines)
    return 1 if failures else 0


# Adopting ------------------------------------------------------------------------------------------------------------


def _adopt(found: Config, by: str, reason: str, now_ms: int, *, new_key: bool) -> int:
    """Write the adoption first and the new heads last: until they are there, no money is taken, whatever happens."""
    terminal, data = found.terminal, found.journal.data
    with closing(folder.open_for_writing(data, calendar_of(found), os.urandom)) as journal:
        folder.check_belongs(journal, found)
        known = known_heads.read(found)
        _check_key(found.journal.machine_key, known, new_key=new_key)
        lives = _check_whole(data).lives
        old = journal.identity
        given_up = list(known_heads.given_up(known, lives, journal.seq, journal.hash_of))
        lost = [words for _, words in given_up]
        _see_to_local_head(journal, found, now_ms, new_key=new_key)
        if new_key:
            lost += _change_key(found, old.incarnation)
        key = secret.read(found.journal.machine_key)
        incarnation = folder.new_incarnation(os.urandom)
        why = f"{reason} ({printable('; '.join(lost))})" if lost else reason
        whose = Identity(terminal.id, incarnation, terminal.mode, terminal.currency)
        adopted = JournalAdopted(**asdict(whose), by=by, reason=why, given_up=tuple(head for head, _ in given_up))
        codes, trusted = key.code_book(incarnation), clock.is_in_step()
        core = adoption.take_over(journal, adopted, codes, os.urandom, now_ms, clock_trusted=trusted)
        failures = folder.sign_head(journal, found, now_ms)
        done = list(_adopted(core, data, old, lost))
    return _told(done, failures, ADOPT_AGAIN)


def _adopted(core: Core, data: Path, old: Identity, lost: Sequence[str]) -> Iterator[str]:
    """Whose journal it was and is, what is gone, and which claims have to be looked at."""
    own = core.journal.identity
    yield f"The journal in {data} is adopted with row {core.journal.adopted.row}."
    yield f"  incarnation {old.incarnation} of terminal {old.terminal}"
    yield f"  goes on as  {own.incarnation} of terminal {own.terminal}"
    for what in lost:
        yield f"  given up    {what}"
    frozen = adoption.in_states(core, Claim, ("frozen",))
    leaving = adoption.in_states(core, Claim, adoption.ON_THEIR_WAY_OUT)
    for claim in (*(frozen if len(frozen) <= LISTED_MAX else ()), *leaving):
        yield f"  claim {claim.number}: {_described(claim)}"
    if frozen:
        worth = Money(sum(claim.balance.minor for claim in frozen if claim.balance), own.currency)
        yield f"Frozen {'is' if len(frozen) == 1 else 'are'} {counted(len(frozen), 'claim')}, worth {worth}."
        yield "Check what the frozen claims are worth, then: kiosk adopt --config FILE --by NAME --release CLAIM…"


def _check_key(path: Path, known: Sequence[KnownHead], *, new_key: bool) -> None:
    """Nobody changes the key without saying so, or the codes of all claims would be lost without a word."""
    if new_key and not path.exists():
        return
    strange = known_heads.signed_by_another(known, path)
    if strange and not new_key:
        remedy = f"put the saved copy of the right key back; if it is lost for good, say --new-key; {CODES_LOST} then"
        raise UsageError(strange, remedy)
    if known and not strange and new_key:
        problem = f"{path} is no new key: the head {known[0].place} was signed with it"
        raise UsageError(problem, "leave --new-key out, and every claim code stays good")


def _change_key(found: Config, incarnation: str) -> Iterator[str]:
    """Make a key where there is none, and keep the public half of the one before; what that means is the answer."""
    path = found.journal.machine_key
    kept = secret.keep_other_public(path, incarnation)
    secret.create(path, os.urandom)
    secret.write_public(path)
    yield f"the key: {CODES_LOST}"
    if kept:
        yield f"{kept} proves the heads of before"


def _see_to_local_head(journal: Journal, found: Config, now_ms: int, *, new_key: bool) -> None:
    """Vouch for the journal as it is: an adoption that is cut off is known by a head of the incarnation before.

    Whoever gives the key up has nothing to sign with. Until the adoption is done, no head may bear the new one's
    signature, or it would pass for the old one.
    """
    local = head_places(found)[0]
    if heads.find(local).head is None:
        if new_key:
            head = heads.unsigned(journal, now_ms)
        else:
            head = heads.sign(journal, secret.read(found.journal.machine_key).signing_key(), now_ms)
        for failure in heads.write(head, [local]):
            raise JournalError(failure, "see to that place; nothing was adopted yet")


def _check_whole(data: Path) -> Report:
    """Refuse what contradicts itself, for an adoption forgives only what is missing."""
    bar = ProgressBar("rows")
    with closing(folder.open_for_reading(data)) as connection:
        report = verify(connection, Found(), progress=bar)
    bar.wipe()
    if report.problems:
        problem = f"the journal contradicts itself: {report.problems[0]}"
        raise JournalError(problem, "an adoption does not mend that: put its newest copy back, and keep this one")
    return report


# Releasing -----------------------------------------------------------------------------------------------------------


def _release(found: Config, by: str, numbers: list[int] | None, now_ms: int) -> int:
    key = secret.read(found.journal.machine_key)
    done: list[str] = []
    failures: list[str] = []
    with closing(folder.open_for_money(found)) as journal:
        core = Core(journal, key.code_book(journal.identity.incarnation), os.urandom)
        trusted = clock.is_in_step()
        wanted = _wanted(core, numbers)
        try:
            for number in wanted:
                with _uninterrupted():
                    core.handle(ClaimThawed(number, by), now_ms, clock_trusted=trusted)
                    thawed = core.thing(number)
                    if isinstance(thawed, Claim):
                        done.append(f"claim {number}: {_described(thawed)}")
        finally:  # whatever ends it: what was written is vouched for, and told
            with _uninterrupted():
                if done and not journal.broken:
                    failures = folder.sign_head(journal, found, now_ms)
                if len(done) < len(wanted):
                    done.append(f"Not released, and still frozen: {counted(len(wanted) - len(done), 'claim')}.")
                status = _told(done or ["No claim is frozen."], failures, heads.UNWRITTEN)
    return status


def _wanted(core: Core, numbers: list[int] | None) -> list[int]:
    """The claims that are to be released, each once; all of them if none are named, and none if one name is wrong."""
    frozen = [claim.number for claim in adoption.in_states(core, Claim, ("frozen",))]
    for number in numbers or ():
        if number not in frozen:
            problem = f"there is no frozen claim {number}"
            known = ", ".join(map(str, frozen)) or "none"
            raise UsageError(problem, f"nothing was released; frozen are: {known}")
    return frozen if numbers is None else list(dict.fromkeys(numbers))


@contextmanager
def _uninterrupted() -> Generator[None]:
    """Let whoever interrupts wait until this is whole: half a commit is none, and no head may vouch for it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _described(claim: Claim) -> str:
    """Say how a claim stands."""
    worth = f"worth {claim.balance}" if claim.balance else "worth nothing yet"
    return f"{claim.state.replace('_', ' ')}, its code ends in {claim.tail}, {worth}"
