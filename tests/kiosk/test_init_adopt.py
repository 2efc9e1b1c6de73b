"""A journal begins once; a restored one goes on only after a person has said so, and its claims wait for a check."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import cast

import apsw
import pytest
from msgspec.structs import replace

from kiosk import cli, clock
from kiosk import config as configuration
from kiosk.commands import adopt
from kiosk.config import Config
from kiosk.errors import UsageError
from kiosk.flow import adoption
from kiosk.flow.claim import Claim
from kiosk.flow.core import Core
from kiosk.flow.facts import ClaimExpired, PayoutBegun
from kiosk.flow.told import ClaimAwaits, ClaimMade
from kiosk.money import folder, heads, secret
from kiosk.money.codes import CodeBook
from kiosk.money.database import FILE_NAME, lock_folder, read_identity
from kiosk.money.folder import open_for_money, open_for_reading
from kiosk.money.heads import Found
from kiosk.money.journal import Journal, JournalBroken
from kiosk.money.replay import Adoption
from kiosk.money.terminal_config import head_places
from kiosk.money.verify import verify
from kiosk.ports.message import Command, Fact
from tests.kiosk.configured import begun, leave_money, running, write_config
from tests.kiosk.money.lived import yuan

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command: its status, what it said, and what it complained of."""

    def command(*args: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = cli.main([str(arg) for arg in args])
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_config(tmp_path, head_copy=str(tmp_path / "elsewhere.head"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A terminal that has begun, with a copy of its head elsewhere."""
    return begun(tmp_path, head_copy=str(tmp_path / "elsewhere.head"))


def believed(config: Config) -> bool:
    key = secret.read(config.journal.machine_key).public_key()
    with closing(open_for_reading(config.journal.data)) as connection:
        report = verify(connection, heads.find(config.journal.data / "head.json"), public_key=key)
    return not report.problems and report.head.signature == "right"


# Init ----------------------------------------------------------------------------------------------------------------


def test_a_terminal_begins(file: Path, run: Run) -> None:
    status, out, err = run("init", "--config", file)
    found = configuration.read(file)
    with closing(open_for_reading(found.journal.data)) as connection:
        identity = read_identity(connection)
    assert (status, err) == (0, "")
    assert (
        out
        == f"""\
A journal begins in {found.journal.data}.
  terminal    demo-0001, bench, CNY, incarnation {identity.incarnation}
  secret key  {found.journal.machine_key}: made just now, keep a copy in a safe
  public key  {found.journal.machine_key}.pub: give it to whoever verifies the journal
"""
    )
    assert found.journal.machine_key.stat().st_mode & 0o777 == 0o600
    assert (
        secret.read_public(Path(f"{found.journal.machine_key}.pub"))
        == secret.read(found.journal.machine_key).public_key()
    )
    assert believed(found)
    local, copy = (heads.find(place).head for place in head_places(found))
    assert local == copy
    assert local is not None
    assert (local.seq, local.incarnation) == (1, identity.incarnation)


def test_two_terminals_never_have_one_incarnation(tmp_path: Path) -> None:
    names = {
        begun(tmp_path / name).terminal.id + str(heads.find(tmp_path / name / "data" / "head.json").head)
        for name in "ab"
    }
    assert len(names) == 2


def test_a_journal_is_never_begun_twice(config: Config, file: Path, run: Run) -> None:
    before = {path: path.read_bytes() for path in config.journal.data.iterdir()}
    status, out, err = run("init", "--config", file)
    assert (status, out) == (2, "")
    assert err.startswith(f"kiosk: {config.journal.data} holds a journal already\n  remedy: go on with it")
    assert {path: path.read_bytes() for path in before} == before


def test_a_key_that_is_there_stays(file: Path, run: Run) -> None:
    key = file.parent / "machine.key"
    key.write_text("5a" * 32)
    key.chmod(0o600)
    status, out, _ = run("init", "--config", file)
    assert status == 0
    assert f"secret key  {key}: the one that was there" in out
    assert key.read_text() == "5a" * 32


def test_a_lost_key_is_not_replaced_beside_its_journal(config: Config, file: Path, run: Run) -> None:
    config.journal.machine_key.unlink()
    status, _, err = run("init", "--config", file)
    assert (status, "holds a journal already" in err) == (2, True)
    assert not config.journal.machine_key.exists()


def test_a_head_that_cannot_be_written_is_told(tmp_path: Path, run: Run) -> None:
    file = write_config(tmp_path, head_copy=str(tmp_path / "unplugged" / "head"))
    status, _, err = run("init", "--config", file)
    assert status == 1
    assert err == (
        f"kiosk: the signed head {tmp_path}/unplugged/head could not be written: No such file or directory\n"
        "  remedy: see to that place: the next head is written there as well\n"
    )


@pytest.mark.parametrize("place", ["machine_key", "data"])
def test_what_cannot_be_made_is_told(tmp_path: Path, run: Run, place: str) -> None:
    (tmp_path / "file").write_text("")
    status, out, err = run("init", "--config", write_config(tmp_path, **{place: str(tmp_path / "file" / "x")}))
    assert (status, out) == (2, "")
    assert "Not a directory" in err
    assert "remedy: " in err


def test_an_earlier_journal_that_is_known_elsewhere_is_not_forgotten(config: Config, file: Path, run: Run) -> None:
    """The disk was replaced by an empty one: the terminal begins anew, and takes no money until somebody says so."""
    shutil.rmtree(config.journal.data)
    elsewhere = file.parent / "elsewhere.head"
    before = elsewhere.read_bytes()
    status, out, _ = run("init", "--config", file)
    assert status == 0
    assert (
        f"  but         {elsewhere} vouches for row 1 of an earlier journal:\n"
        "              no money is taken until that is put back, or given up with `kiosk adopt`\n"
    ) in out
    assert elsewhere.read_bytes() == before
    with pytest.raises(UsageError, match="of another journal"):
        open_for_money(config)
    status, out, _ = run("adopt", "--config", file, "--by", "Ann", "--reason", "a new disk")
    assert status == 0
    assert re.search(
        rf"  given up    {elsewhere} vouches for row 1 of incarnation [0-9a-f]{{16}}, of which there is nothing here\n",
        out,
    )
    open_for_money(config).close()


def test_an_earlier_head_in_the_folder_itself_is_not_forgotten_either(tmp_path: Path, run: Run) -> None:
    """The journal is gone, and the head beside it is not."""
    config = begun(tmp_path)
    (config.journal.data / FILE_NAME).unlink()
    local = config.journal.data / "head.json"
    before = local.read_bytes()
    status, out, _ = run("init", "--config", tmp_path / "kiosk.toml")
    assert (status, f"but         {local} vouches for row 1 of an earlier journal:\n" in out) == (0, True)
    assert local.read_bytes() == before
    assert "of another journal" in refused(config)


def test_the_second_of_two_that_begin_at_once_makes_nothing(tmp_path: Path, run: Run) -> None:
    file = write_config(tmp_path)
    (tmp_path / "data").mkdir()
    lock = lock_folder(tmp_path / "data")  # the first one is at work
    status, out, err = run("init", "--config", file)
    os.close(lock)
    assert (status, out) == (2, "")
    assert "data is being written by another process\n  remedy: stop the terminal that runs on it, or wait" in err
    assert not (tmp_path / "machine.key").exists()
    assert run("init", "--config", file)[0] == 0


def test_a_key_is_not_made_beside_the_public_half_of_a_lost_one(file: Path, run: Run) -> None:
    public = file.parent / "machine.key.pub"
    public.write_text("5a" * 32)
    status, out, err = run("init", "--config", file)
    assert (status, out) == (2, "")
    assert "put the saved copy of its secret key back" in err
    assert public.read_text() == "5a" * 32
    public.rename(file.parent / "old.pub")
    assert run("init", "--config", file)[0] == 0


def test_a_key_is_not_made_inside_the_data_folder(tmp_path: Path, run: Run) -> None:
    status, out, err = run("init", "--config", write_config(tmp_path, machine_key="data/machine.key"))
    assert (status, out) == (2, "")
    assert "journal.machine_key: it lies inside the data folder\n" in err
    assert "  remedy: name a file elsewhere: a copy of that folder must not give the key away\n" in err
    assert not (tmp_path / "data").exists()


# Adopt ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def restored(config: Config, tmp_path: Path) -> Config:
    """Set back to an older copy: two customers are owed money, and what the second one did later is lost."""
    with running(config) as core:
        leave_money(core, "first", 20)
        leave_money(core, "second", 10)
    shutil.copytree(config.journal.data, tmp_path / "copy")
    with running(config) as core:
        leave_money(core, "third")
    shutil.rmtree(config.journal.data)
    shutil.copytree(tmp_path / "copy", config.journal.data)
    return config


# What the copy elsewhere knows of the rows that `restored` has lost:
LOST = "vouches for row 21, and the journal ends with row 14: 7 rows are missing"


def refused(config: Config) -> str:
    """Why no money is taken."""
    with pytest.raises(UsageError) as caught:
        open_for_money(config)
    return caught.value.problem


def adoptions(config: Config) -> tuple[Adoption, ...]:
    """All that stand in the journal, which has to be whole."""
    with closing(open_for_reading(config.journal.data)) as connection:
        report = verify(connection, Found())
    assert report.problems == ()
    return report.adoptions


def claims(config: Config) -> list[Claim]:
    """All claims of the journal that are not empty."""
    with closing(open_for_money(config)) as journal:
        core = Core(journal, CodeBook(bytes(32), ""), bytes)
        numbers = journal.in_states("claim", ["open", "frozen", "waiting", "held", "unclaimed", "paying_out"])
        found = [core.thing(number) for number in numbers]
    return [claim for claim in found if isinstance(claim, Claim)]


def test_a_restored_journal_takes_no_money_until_it_is_adopted(restored: Config, file: Path, run: Run) -> None:
    with pytest.raises(UsageError, match="rows are missing"):
        open_for_money(restored)
    with closing(open_for_reading(restored.journal.data)) as connection:
        old = read_identity(connection)
    status, out, err = run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    assert (status, err) == (0, "")
    first, second = claims(restored)
    with closing(open_for_money(restored)) as journal:
        new, row = journal.identity, journal.adopted.row
        assert journal.incarnations() == [new.incarnation, old.incarnation]
    assert new.incarnation != old.incarnation
    assert out == (
        f"""\
The journal in {restored.journal.data} is adopted with row {row}.
  incarnation {old.incarnation} of terminal demo-0001
  goes on as  {new.incarnation} of terminal demo-0001
  given up    {file.parent}/elsewhere.head {LOST}
  claim {first.number}: frozen, its code ends in {first.tail}, worth 20.00 CNY
  claim {second.number}: frozen, its code ends in {second.tail}, worth 10.00 CNY
Frozen are 2 claims, worth 30.00 CNY.
Check what the frozen claims are worth, then: kiosk adopt --config FILE --by NAME --release CLAIM…
"""
    )
    assert [(claim.state, claim.balance) for claim in (first, second)] == [("frozen", yuan(20)), ("frozen", yuan(10))]
    assert believed(restored)
    (taken_over,) = adoptions(restored)
    assert (taken_over.row, taken_over.by) == (row, "Ann")
    assert taken_over.reason == f"the disk broke ({file.parent}/elsewhere.head {LOST})"


def test_many_frozen_claims_are_told_in_one_line(config: Config, file: Path, run: Run) -> None:
    with running(config) as core:
        for number in range(21):
            leave_money(core, f"customer {number}")
    _, out, _ = run("adopt", "--config", file, "--by", "Ann", "--reason", "moved")
    assert "\nFrozen are 21 claims, worth 420.00 CNY.\n" in out
    assert "  claim " not in out


def test_rows_that_are_known_to_be_missing_are_told_of_each_head(config: Config, file: Path, run: Run) -> None:
    """Only the database is an older one: both heads know better, and a second adoption still knows it."""
    copy = (config.journal.data / FILE_NAME).read_bytes()
    with running(config) as core:
        leave_money(core, "first")
    (config.journal.data / FILE_NAME).write_bytes(copy)
    away = file.parent / "elsewhere.head"
    before = away.read_bytes()
    heads_known = config.journal.data / "head.json", away
    lost = "vouches for row 8, and the journal ends with row 1: 7 rows are missing"
    _, out, _ = run("adopt", "--config", file, "--by", "Ann", "--reason", "an old copy")
    assert [line for line in out.splitlines() if "given up" in line] == [
        f"  given up    {place} {lost}" for place in heads_known
    ]
    away.write_bytes(before)
    old, *_ = [known.incarnation for known in [heads.find(away).head] if known]
    _, out, _ = run("adopt", "--config", file, "--by", "Ann", "--reason", "again")
    assert f"  given up    {away} vouches for row 8, and incarnation {old} ends with row 1: 7 rows are missing\n" in out
    assert adoptions(config)[1].reason.startswith(f"again ({away} vouches for row 8, and incarnation {old} ends with")


def test_checked_claims_are_released_one_by_one_or_all(restored: Config, file: Path, run: Run) -> None:
    run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    first, second = claims(restored)
    status, out, err = run("adopt", "--config", file, "--by", "Bob", "--release", second.number)
    assert (status, out, err) == (
        *(0, f"claim {second.number}: open, its code ends in {second.tail}, worth 10.00 CNY\n", ""),
    )
    assert [claim.state for claim in claims(restored)] == ["frozen", "open"]
    status, out, _ = run("adopt", "--config", file, "--by", "Bob", "--release-all")
    assert (status, out) == (0, f"claim {first.number}: open, its code ends in {first.tail}, worth 20.00 CNY\n")
    assert [claim.state for claim in claims(restored)] == ["open", "open"]
    assert run("adopt", "--config", file, "--by", "Bob", "--release-all")[1] == "No claim is frozen.\n"
    assert believed(restored)


def test_a_claim_that_is_named_twice_is_released_and_told_once(restored: Config, file: Path, run: Run) -> None:
    run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    first, _ = claims(restored)
    status, out, _ = run("adopt", "--config", file, "--by", "Bob", "--release", *[first.number] * 3)
    assert (status, out) == (0, f"claim {first.number}: open, its code ends in {first.tail}, worth 20.00 CNY\n")


def test_an_interrupted_release_is_whole_as_far_as_it_came(
    restored: Config, file: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interruption comes in the midst of a commit, and waits until that is durable."""
    run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    first, _ = claims(restored)
    real = Journal._write  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the midst of a commit

    def interrupted(journal: Journal, *args: object) -> None:
        cast("Callable[..., None]", real)(journal, *args)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_write", interrupted)
        status, out, _ = run("adopt", "--config", file, "--by", "Bob", "--release-all")
    assert status == 130
    assert out == (
        f"claim {first.number}: open, its code ends in {first.tail}, worth 20.00 CNY\n"
        "Not released, and still frozen: 1 claim.\n"
    )
    assert [claim.state for claim in claims(restored)] == ["open", "frozen"]
    head = heads.find(restored.journal.data / "head.json").head
    with closing(open_for_money(restored)) as journal:
        assert head is not None
        assert head.seq == journal.seq


@pytest.mark.parametrize("where", ["| true", "> /dev/full"])
def test_a_release_is_whole_where_nobody_hears_of_it(restored: Config, file: Path, run: Run, where: str) -> None:
    run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    command = f"{sys.executable} -m kiosk adopt --config '{file}' --by Bob --release-all {where}"
    ended = subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.stderr == ("" if where == "| true" else DONE)
    assert [claim.state for claim in claims(restored)] == ["open", "open"]
    assert believed(restored)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nobody_is_sent_to_do_again_what_is_done(file: Path, unbuffered: str) -> None:
    """Only the words were lost."""
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    for command in (("init",), ("adopt", "--by", "Ann", "--reason", "moved")):
        name, *options = command
        with Path("/dev/full").open("w") as full:
            ended = subprocess.run(
                [sys.executable, "-m", "kiosk", name, "--config", str(file), *options],
                cwd=ROOT, env=env, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (2, DONE)
    found = configuration.read(file)
    assert len(adoptions(found)) == 1
    assert believed(found)


DONE = (
    "kiosk: all is done, and only the words about it could not be written: No space left on device\n"
    "  remedy: do not run the command again; `kiosk journal verify` and `kiosk journal export` tell of what was done\n"
)


def test_nothing_is_released_where_one_number_is_wrong(restored: Config, file: Path, run: Run) -> None:
    run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    first, second = claims(restored)
    status, _, err = run("adopt", "--config", file, "--by", "Bob", "--release", first.number, 7777)
    assert status == 2
    assert err == (
        "kiosk: there is no frozen claim 7777\n"
        f"  remedy: nothing was released; frozen are: {first.number}, {second.number}\n"
    )
    assert [claim.state for claim in claims(restored)] == ["frozen", "frozen"]


def test_codes_of_before_are_good_and_new_ones_are_others(restored: Config, file: Path, run: Run) -> None:
    """After a restore the numbers of claims come again, and their codes must not."""
    key = secret.read(restored.journal.machine_key)
    run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    (old, _) = claims(restored)
    with running(restored) as core:
        new = leave_money(core, "third again")
        incarnations = core.journal.incarnations()
    for claim in (old, new):
        text = key.code_text(claim.number, claim.renewals, claim.key, incarnations)
        assert text is not None
        assert key.code_book(incarnations[0]).recognise(text).digest == claim.key
        assert text.endswith(claim.tail)
    present, before = incarnations
    assert key.code_text(old.number, old.renewals, old.key, [present]) is None
    assert key.code_book(present).text(new.number) != key.code_book(before).text(new.number)


def test_every_claim_that_holds_money_or_waits_is_frozen(config: Config, file: Path, run: Run) -> None:
    with running(config) as core:
        at_ms = core.journal.last_at_ms
        states: dict[str, Claim] = {name: leave_money(core, name) for name in ("open", "unclaimed", "paying_out")}
        core.handle(ClaimExpired(states["unclaimed"].number), at_ms)
        core.handle(PayoutBegun(states["paying_out"].number, "desk", "Ann"), at_ms)
        core.handle(ClaimMade("digest", "TAIL", 0), at_ms)
        waiting = core.find("claim", "digest")
        assert waiting is not None
        core.handle(ClaimAwaits(waiting.number), at_ms)
    _, out, _ = run("adopt", "--config", file, "--by", "Ann", "--reason", "moved")
    with closing(open_for_reading(config.journal.data)) as connection:
        now = dict(connection.execute("SELECT number, data ->> '$.state' FROM thing WHERE kind = 'claim'"))
    assert {name: now[claim.number] for name, claim in states.items()} == {
        "open": "frozen",
        "unclaimed": "frozen",
        "paying_out": "paying_out",
    }
    assert now[waiting.number] == "frozen"
    assert f"claim {states['paying_out'].number}: paying out, its code ends in" in out


def test_another_terminal_s_journal_can_be_adopted(config: Config, tmp_path: Path, run: Run) -> None:
    file = write_config(tmp_path, id="demo-0002", head_copy=str(tmp_path / "elsewhere.head"))
    assert run("adopt", "--config", file, "--by", "Ann", "--reason", "the old cabinet burnt")[0] == 0
    with closing(open_for_money(configuration.read(file))) as journal:
        assert journal.identity.terminal == "demo-0002"
    with pytest.raises(UsageError, match="the journal is terminal demo-0002's, and this is demo-0001"):
        open_for_money(config)


@pytest.mark.parametrize(("key", "value"), [("mode", "live"), ("currency", "HKD")])
def test_no_adoption_makes_it_something_else(config: Config, tmp_path: Path, run: Run, key: str, value: str) -> None:
    status, _, err = run("adopt", "--config", write_config(tmp_path, **{key: value}), "--by", "Ann", "--reason", "no")
    assert status == 2
    assert f"has the {key} " in err
    open_for_money(config).close()


def test_what_contradicts_itself_is_not_mended_by_an_adoption(restored: Config, file: Path, run: Run) -> None:
    with closing(apsw.Connection(str(restored.journal.data / FILE_NAME))) as connection:
        connection.execute("UPDATE balance SET posted = 99 WHERE account LIKE 'owed%'")
    status, _, err = run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    assert status == 2
    assert "kiosk: the journal contradicts itself: owed#" in err
    with pytest.raises(UsageError, match="rows are missing"):
        open_for_money(restored)


@pytest.mark.parametrize("lost_heads", [False, True])
def test_a_cut_off_adoption_has_to_be_done_again(
    restored: Config, file: Path, run: Run, monkeypatch: pytest.MonkeyPatch, *, lost_heads: bool
) -> None:
    """The power goes while claims are being frozen."""
    if lost_heads:
        for head in (
            *restored.journal.data.glob("head*"),
            file.parent / "elsewhere.head",
            file.parent / "elsewhere.previous.head",
        ):
            head.unlink()
    real, done = Core.handle, 0

    def handle(core: Core, fact: Fact, at_ms: int, *, clock_trusted: bool) -> list[Command]:
        nonlocal done
        done += 1
        if done == 2:
            msg = "the power went"
            raise JournalBroken(msg)
        return real(core, fact, at_ms, clock_trusted=clock_trusted)

    with monkeypatch.context() as patch:
        patch.setattr(adopt.Core, "handle", handle)
        assert run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")[0] == 2
    with pytest.raises(UsageError, match="vouches for row"):
        open_for_money(restored)
    assert run("adopt", "--config", file, "--by", "Ann", "--reason", "once more")[0] == 0
    assert [claim.state for claim in claims(restored)] == ["frozen", "frozen"]
    assert [each.reason.partition(" (")[0] for each in adoptions(restored)] == ["the disk broke", "once more"]


def test_old_heads_are_kept_as_evidence(restored: Config, file: Path, run: Run) -> None:
    with closing(open_for_reading(restored.journal.data)) as connection:
        old = read_identity(connection).incarnation
    run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    evidence = file.parent / f"elsewhere.{old}.head"
    assert heads.find(evidence).head is not None
    lost = f"vouches for row 21, and incarnation {old} ends with row 14: 7 rows are missing"
    for _ in range(2):
        status, out, _ = run("journal", "verify", "--data", restored.journal.data, "--head", evidence)
        assert (status, "This journal CANNOT be believed" in out) == (0, False)
        assert f" the head kept elsewhere {lost}; a person gave that up with row 15\n" in out
        assert re.search(r"  head elsewhere  of row 21, .*; rows beyond it: 0\n", out)
        with running(restored) as core:  # so many new rows that the head's own number comes again
            leave_money(core, "later")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"seq": 20, "hash": "00"}, ""),  # it knows less than what was given up
        ({"seq": 22}, "row 15: the head kept elsewhere vouches for row 22, and incarnation {old} ends with row 14: 8 "),
        ({"hash": "00"}, "row 15: the head kept elsewhere vouches for row 21, and incarnation {old} ends with row 14:"),
        ({"seq": 9, "hash": "00"}, "row 9: the head kept elsewhere vouches for another row 9: rows were changed"),
        ({"incarnation": "x"}, "the head kept elsewhere vouches for row 21 of incarnation x, of which there is"),
        ({"terminal": "x"}, "the head kept elsewhere is of terminal x, the journal of demo-0001"),
    ],
)
def test_a_loss_that_nobody_gave_up_is_still_one(
    restored: Config, file: Path, run: Run, changes: dict[str, object], problem: str
) -> None:
    run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")
    with closing(open_for_money(restored)) as journal:
        old = journal.incarnations()[1]
    evidence = heads.find(file.parent / f"elsewhere.{old}.head").head
    assert evidence is not None
    saved = file.parent / "saved.head"
    heads.write(replace(evidence, **changes), [saved])
    status, out, _ = run("journal", "verify", "--data", restored.journal.data, "--head", saved)
    assert status == bool(problem)
    assert not problem or f"CANNOT be believed:\n  {problem.format(old=old)}" in out


def test_a_head_of_another_terminal_whose_journal_was_taken_over_is_no_contradiction(
    config: Config, tmp_path: Path, run: Run
) -> None:
    saved = tmp_path / "saved.head"
    shutil.copy(config.journal.data / "head.json", saved)
    file = write_config(tmp_path, id="demo-0002", head_copy=str(tmp_path / "elsewhere.head"))
    run("adopt", "--config", file, "--by", "Ann", "--reason", "the old cabinet burnt")
    status, out, _ = run("journal", "verify", "--data", config.journal.data, "--head", saved)
    assert (status, "Every row, every transfer and every derived table agrees." in out) == (0, True)


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ((), "--by"),
        (("--by", "Ann"), "one of the arguments --reason --release --release-all is required"),
        (("--by", " ", "--reason", "x"), "--by is empty, or has characters that cannot be printed"),
        (("--by", "Ann\nBob", "--reason", "x"), "--by is empty, or has characters that cannot be printed"),
        (("--by", "Ann", "--reason", "\x1b[2J"), "--reason is empty, or has characters that cannot be printed"),
        (("--by", "Ann", "--reason", "x" * 501), "--reason has 501 characters"),
        (("--by", "Ann", "--release-all", "--new-key"), "--new-key goes with --reason"),
        (("--by", "Ann", "--reason", "x", "--new-key"), "machine.key is no new key: the head "),
        (("--by", "Ann", "--reason", "x", "--release-all"), "not allowed with"),
        (("--by", "Ann", "--release", "x"), "invalid int value"),
    ],
)
def test_wrong_words_change_nothing(config: Config, file: Path, run: Run, args: tuple[str, ...], problem: str) -> None:
    status, out, err = run("adopt", "--config", file, *args)
    assert (status, out) == (2, "")
    assert problem in err
    with closing(open_for_money(config)) as journal:
        assert journal.seq == 1


def test_a_clock_that_is_kept_in_step_is_believed(
    restored: Config, file: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day that the adoption closes is closed by its own commit, and no row of the old incarnation."""
    saved = file.parent / "saved.head"
    shutil.copy(file.parent / "elsewhere.head", saved)
    monkeypatch.setattr(clock, "is_in_step", lambda: True)
    later = time.time_ns() + 2 * 86_400 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    assert run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")[0] == 0
    assert run("adopt", "--config", file, "--by", "Bob", "--release-all")[0] == 0
    assert run("journal", "export", "--config", file, "--unmasked", "--by", "Ann")[0] == 0
    with closing(open_for_reading(restored.journal.data)) as connection:
        doubtful = connection.execute("SELECT count(*) FROM entry WHERE body LIKE '%doubtful_clock%'").get
        assert connection.execute("SELECT count(*) FROM business_day").get == 2
    assert doubtful == 0
    assert adoptions(restored)[0].row == 16
    status, out, _ = run("journal", "verify", "--data", restored.journal.data, "--head", saved)
    assert (status, "ends with row 14: 7 rows are missing; a person gave that up with row 16\n" in out) == (0, True)


def test_a_running_terminal_is_not_adopted(config: Config, file: Path, run: Run) -> None:
    with closing(open_for_money(config)):
        status, _, err = run("adopt", "--config", file, "--by", "Ann", "--reason", "x")
    assert status == 2
    assert "is being written by another process\n  remedy: stop the terminal that runs on it" in err


# Another key ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def rekeyed(config: Config, file: Path) -> Config:
    """A customer is owed money; then another key lies where the machine's own was."""
    with running(config) as core:
        leave_money(core, "first")
    config.journal.machine_key.rename(file.parent / "old.key")
    config.journal.machine_key.write_text("5a" * 32)
    config.journal.machine_key.chmod(0o600)
    return config


def test_another_key_is_never_taken_in_silence(rekeyed: Config, file: Path, run: Run) -> None:
    status, out, err = run("adopt", "--config", file, "--by", "Ann", "--reason", "moved")
    assert (status, out) == (2, "")
    assert err == (
        f"kiosk: the head {rekeyed.journal.data}/head.json was not signed with this machine's key,"
        f" {rekeyed.journal.machine_key}\n"
        "  remedy: put the saved copy of the right key back; if it is lost for good, say --new-key;"
        " no claim code that was made with the old one can ever be recognised again then\n"
    )
    assert adoptions(rekeyed) == ()
    shutil.copy(file.parent / "old.key", rekeyed.journal.machine_key)
    open_for_money(rekeyed).close()


def test_whoever_says_so_goes_on_with_another_key(rekeyed: Config, file: Path, run: Run) -> None:
    key_path, public = rekeyed.journal.machine_key, file.parent / "machine.key.pub"
    before = public.read_bytes()
    with closing(open_for_reading(rekeyed.journal.data)) as connection:
        old = read_identity(connection).incarnation
    status, out, err = run("adopt", "--config", file, "--by", "Ann", "--reason", "moved", "--new-key")
    assert (status, err) == (0, "")
    kept = file.parent / f"machine.key.{old}.pub"
    told = "the key: no claim code that was made with the old one can ever be recognised again"
    assert f"  given up    {told}\n  given up    {kept} proves the heads of before\n" in out
    assert [each.reason for each in adoptions(rekeyed)] == [f"moved ({told}; {kept} proves the heads of before)"]
    assert believed(rekeyed)
    open_for_money(rekeyed).close()

    # The evidence of before can still be proved, and the code of before is nobody's any more.
    assert kept.read_bytes() == before
    assert secret.read_public(public) == secret.read(key_path).public_key()
    evidence = heads.find(rekeyed.journal.data / f"head.{old}.json").head
    assert evidence is not None
    assert evidence.is_signed_by(secret.read_public(kept))
    (claim,) = claims(rekeyed)
    assert secret.read(key_path).code_text(claim.number, claim.renewals, claim.key, [old]) is None


def test_a_lost_key_leads_from_each_remedy_to_the_end(config: Config, file: Path, run: Run) -> None:
    with running(config) as core:
        leave_money(core, "first")
    config.journal.machine_key.unlink()
    new_key = "`kiosk adopt --config FILE --by NAME --reason TEXT --new-key`"
    for command in (("init",), ("adopt", "--by", "Ann", "--reason", "x"), ("adopt", "--by", "Ann", "--release-all")):
        name, *options = command
        status, _, err = run(name, "--config", file, *options)
        assert (status, new_key in err) == (2, True), err
    assert not config.journal.machine_key.exists()
    status, _, err = run("adopt", "--config", file, "--by", "Ann", "--reason", "the safe burnt", "--new-key")
    assert (status, err) == (0, "")
    assert believed(config)
    status, out, _ = run("adopt", "--config", file, "--by", "Ann", "--release-all")
    assert (status, "open, its code ends in" in out) == (0, True)


STEPS = (
    *((heads, "write"), (secret, "keep_other_public"), (secret, "create"), (secret, "write_public")),
    *((adoption, "take_over"), (Journal, "commit"), (Core, "handle"), (folder, "sign_head"), (heads, "_replace")),
)


class PowerCutError(BaseException):
    """Nothing catches it."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[step for _, step in STEPS])
@pytest.mark.parametrize("heads_left", ["both", "elsewhere", "none"])
def test_a_change_of_key_that_is_cut_off_is_done_whole_by_the_same_command(  # noqa: PLR0913 - a plan of cuts
    *,
    config: Config,
    file: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    step: str,
    when: str,
    heads_left: str,
) -> None:
    """The key is lost, and the power goes at any step: the journal says in the end that the key was given up."""
    with running(config) as core:
        leave_money(core, "first")
    config.journal.machine_key.unlink()
    for place in {"both": (), "elsewhere": ("data/head*",), "none": ("data/head*", "elsewhere*")}[heads_left]:
        for head in file.parent.glob(place):
            head.unlink()
    adopting = ("adopt", "--config", file, "--by", "Ann", "--reason", "the safe burnt", "--new-key")
    real: Callable[..., object] = getattr(owner, step)

    def cut_off(*args: object, **kwargs: object) -> object:
        if when == "after":
            real(*args, **kwargs)
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, cut_off)
        with suppress(PowerCutError):
            run(*adopting)
    status, _, err = run(*adopting)
    if status:  # only the last words were missing
        assert (when, step) in {("after", "write"), ("after", "sign_head")}
        assert "is no new key" in err
    reasons = [each.reason for each in adoptions(config)]
    assert adopt.CODES_LOST in reasons[-1]
    (kept,) = file.parent.glob("machine.key.*.pub")
    assert any(str(kept) in reason for reason in reasons)
    assert believed(config)
    assert [claim.state for claim in claims(config)] == ["frozen"]


# Heads ---------------------------------------------------------------------------------------------------------------


def kept_heads(folder: Path) -> dict[str, str]:
    """Which head lies in which file, by incarnation and row."""
    known = {path.name: heads.find(path).head for path in folder.glob("elsewhere*.head")}
    return {name: f"{head.incarnation} {head.seq}" for name, head in known.items() if head}


def test_the_same_copy_can_be_restored_again_and_no_evidence_is_lost(restored: Config, file: Path, run: Run) -> None:
    folder = file.parent
    first = kept_heads(folder)["elsewhere.head"]
    seen = {first}
    for _ in range(3):
        assert run("adopt", "--config", file, "--by", "Ann", "--reason", "the disk broke")[0] == 0
        with running(restored) as core:
            leave_money(core, "once more")
        seen.add(kept_heads(folder)["elsewhere.head"])
        shutil.rmtree(restored.journal.data)
        shutil.copytree(folder / "copy", restored.journal.data)
    assert len(seen) == 4
    assert seen <= set(kept_heads(folder).values())
    assert kept_heads(folder)[f"elsewhere.{first.split()[0]}.head"] == first


def test_a_copy_that_cannot_be_written_is_told_with_what_hangs_on_it(tmp_path: Path, run: Run) -> None:
    away = tmp_path / "disk" / "elsewhere.head"
    away.parent.mkdir()
    config = begun(tmp_path, head_copy=str(away))
    with running(config) as core:
        leave_money(core, "first")
    away.parent.rename(tmp_path / "unplugged")
    args = ("adopt", "--config", tmp_path / "kiosk.toml", "--by", "Ann", "--reason", "moved")
    status, _, err = run(*args)
    assert status == 1
    assert err == (
        f"kiosk: the signed head {away} could not be written: No such file or directory\n"
        "  remedy: see to that place and run the command again: no money is taken while an earlier head stands there\n"
    )
    (tmp_path / "unplugged").rename(away.parent)
    before = kept_heads(away.parent)["elsewhere.head"]
    assert "of another journal" in refused(config)
    status, _, err = run(*args)
    assert (status, err) == (0, "")
    assert kept_heads(away.parent)[f"elsewhere.{before.split()[0]}.head"] == before
    open_for_money(config).close()


def test_nothing_is_adopted_where_no_head_can_say_that_it_was_begun(tmp_path: Path, run: Run) -> None:
    config = begun(tmp_path)
    local = config.journal.data / "head.json"
    local.unlink()
    local.mkdir()
    status, out, err = run("adopt", "--config", tmp_path / "kiosk.toml", "--by", "Ann", "--reason", "moved")
    assert (status, out) == (2, "")
    assert err == (
        f"kiosk: the signed head {local} could not be written: Is a directory\n"
        "  remedy: see to that place; nothing was adopted yet\n"
    )
    assert adoptions(config) == ()
