"""A signed head vouches for rows; whatever happens while it is written, the one before it is still there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import json
from msgspec.structs import fields, replace

from kiosk.money import durable_file, heads
from kiosk.money.heads import Head, contradiction, find, previous_path, sign, write
from kiosk.money.secret import MachineKey
from tests.kiosk.money.memory import AT_MS, journal_in_memory

KEY = MachineKey(bytes(range(32)))
PUBLIC = KEY.public_key()


@pytest.fixture
def head() -> Head:
    return sign(journal_in_memory(), KEY.signing_key(), AT_MS)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "head.json"


def test_it_vouches_for_the_last_row() -> None:
    journal = journal_in_memory()
    head = sign(journal, KEY.signing_key(), AT_MS)
    assert (head.terminal, head.incarnation, head.seq, head.at) == ("test", "incarnation", 1, AT_MS)
    assert contradiction(head, journal.seq, journal.hash_of(1)) == ""
    assert head.is_signed_by(PUBLIC)


@pytest.mark.parametrize("field", [field.name for field in fields(Head)])
def test_whatever_is_changed_breaks_the_signature(head: Head, field: str) -> None:
    value = getattr(head, field)
    other = value + 1 if isinstance(value, int) else value[:-1] + ("0" if value[-1] != "0" else "1")
    assert not replace(head, **{field: other}).is_signed_by(PUBLIC)


@pytest.mark.parametrize("signature", ["", "00", "zz" * 64, "0" * 127, "ü" * 64])
def test_what_is_no_signature_proves_nothing(head: Head, signature: str) -> None:
    assert not replace(head, signature=signature).is_signed_by(PUBLIC)


def test_another_key_proves_nothing(head: Head) -> None:
    assert not head.is_signed_by(MachineKey(bytes(32)).public_key())
    assert not head.is_signed_by(b"no key")


def test_rows_contradict_a_head(head: Head) -> None:
    assert contradiction(head, 0, None) == "vouches for row 1, and the journal ends with row 0: 1 row is missing"
    later = replace(head, seq=15)
    assert contradiction(later, 8, None) == "vouches for row 15, and the journal ends with row 8: 7 rows are missing"
    assert contradiction(head, 9, bytes(32)) == "vouches for another row 1: rows were changed"
    assert contradiction(head, 9, None) == contradiction(head, 9, bytes(32))


def test_it_is_written_to_every_place_and_the_one_before_is_kept(head: Head, place: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere" / "kiosk.head"
    later = replace(head, seq=2)
    assert write(head, [place, copy]) == []
    assert write(later, [place, copy]) == []
    for path in (place, copy):
        assert find(path).head == later
        assert find(path).warnings == ()
        assert json.decode(previous_path(path).read_bytes(), type=Head) == head
    assert previous_path(copy).name == "kiosk.previous.head"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "head.json", "head.previous.json"]


def test_a_place_that_cannot_be_written_is_told_and_keeps_the_others_from_nothing(head: Head, place: Path) -> None:
    away = place.parent / "unplugged" / "head.json"
    assert write(head, [away, place]) == [f"the signed head {away} could not be written: No such file or directory"]
    assert find(place).head == head


@pytest.mark.parametrize("torn", [b"", b"{", b'{"terminal":"t', b"\x00" * 300, b"[]", b"{}", b"\xff\xfe", b'"x"'])
def test_a_torn_head_is_a_warning_and_the_one_before_is_used(head: Head, place: Path, torn: bytes) -> None:
    write(head, [place])
    write(replace(head, seq=2), [place])
    place.write_bytes(torn)
    assert find(place).head == head
    assert find(place).warnings == ("head.json is torn", "head.previous.json of row 1 is used instead")
    write(replace(head, seq=3), [place])
    assert json.decode(previous_path(place).read_bytes(), type=Head) == head  # not the torn one
    previous_path(place).write_bytes(torn)
    place.unlink()
    assert find(place).head is None
    assert find(place).warnings == ("head.previous.json is torn",)


@pytest.mark.parametrize("seq", ["0", "-1", "9223372036854775808", '"1"', "1.5"])
def test_a_head_of_no_possible_row_is_torn(head: Head, place: Path, seq: str) -> None:
    place.write_bytes(json.encode(head).replace(b'"seq":1', f'"seq":{seq}'.encode()))
    assert find(place).warnings == ("head.json is torn",)


def test_where_there_is_none_nothing_is_wrong(place: Path) -> None:
    assert find(place) == heads.Found(None, ())


def test_one_that_cannot_be_read_is_a_warning(place: Path) -> None:
    place.mkdir()
    assert find(place).warnings == ("head.json cannot be read: Is a directory",)


def test_nobody_waits_for_a_pipe_in_the_place_of_a_head(head: Head, place: Path) -> None:
    """It would never say anything. What cannot be a head is replaced by the next one, and is no evidence."""
    new = place.with_name("head.json.new")
    for path in (place, previous_path(place), new):
        os.mkfifo(path)
    no_file = "cannot be read: this is a pipe, a socket or a device, not a file"
    assert find(place).warnings == (f"head.json {no_file}", f"head.previous.json {no_file}")
    assert write(head, [place]) == []
    assert find(place) == heads.Found(head)


def failing_at(number: int, real: Callable[..., object]) -> Callable[..., object]:
    """The same function, until the power goes."""
    calls = 0

    def called(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls == number:
            raise OSError(5, "the power went")
        return real(*args, **kwargs)

    return called


@pytest.mark.parametrize(("what", "times"), [("replace", 2), ("fsync", 2)])
def test_wherever_writing_stops_one_of_the_two_is_found(
    head: Head, place: Path, what: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = replace(head, seq=2)
    for number in range(1, times + 1):
        write(head, [place])
        owner = durable_file.os if what == "fsync" else Path
        with monkeypatch.context() as patch:
            patch.setattr(owner, what, failing_at(number, getattr(owner, what)))
            failures = write(later, [place])
        assert failures == [f"the signed head {place} could not be written: the power went"]
        assert find(place).head in {head, later}


# Evidence ------------------------------------------------------------------------------------------------------------


def kept(place: Path) -> dict[str, Head]:
    """Every head that lies beside the newest one."""
    files = (path for path in place.parent.iterdir() if path not in {place, previous_path(place)})
    return {path.name: json.decode(path.read_bytes(), type=Head) for path in files}


def of(head: Head, incarnation: str, seq: int) -> Head:
    return replace(head, incarnation=incarnation, seq=seq)


def test_the_last_head_of_an_earlier_incarnation_is_kept_as_evidence(head: Head, place: Path) -> None:
    for seq in (1, 2, 3):
        write(of(head, "first", seq), [place])
    write(of(head, "second", 4), [place])
    assert kept(place) == {"head.first.json": of(head, "first", 3)}
    assert not previous_path(place).exists()  # it would be taken for the second one's
    assert find(place) == heads.Found(of(head, "second", 4))
    write(of(head, "second", 5), [place])
    assert json.decode(previous_path(place).read_bytes(), type=Head) == of(head, "second", 4)


def test_evidence_is_never_replaced(head: Head, place: Path) -> None:
    """The same old copy is restored again and again, so that the names of its incarnations come back."""
    write(of(head, "first", 9), [place])
    for name, seq in (("second", 4), ("first", 4), ("third", 5), ("first", 6), ("third", 7)):
        write(of(head, name, seq), [place])
    assert kept(place) == {
        "head.first.json": of(head, "first", 9),
        "head.second.json": of(head, "second", 4),
        "head.first.2.json": of(head, "first", 4),
        "head.third.json": of(head, "third", 5),
        "head.first.3.json": of(head, "first", 6),
    }


def test_the_same_evidence_is_kept_once(head: Head, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power goes when it is kept already, and the new head is not yet in its place."""
    write(of(head, "first", 1), [place])
    with monkeypatch.context() as patch:
        patch.setattr(heads, "write_durably", failing_at(1, heads.write_durably))
        assert write(of(head, "second", 2), [place])
    assert find(place).head == of(head, "first", 1)
    assert write(of(head, "second", 2), [place]) == []
    assert kept(place) == {"head.first.json": of(head, "first", 1)}


def test_where_the_newest_is_torn_the_one_before_is_the_evidence(head: Head, place: Path) -> None:
    write(of(head, "first", 1), [place])
    write(of(head, "first", 2), [place])
    place.write_bytes(b"{")
    write(of(head, "second", 3), [place])
    assert kept(place) == {"head.first.json": of(head, "first", 1)}


def test_a_forged_incarnation_names_no_other_place(head: Head, place: Path) -> None:
    forged = of(head, "../" * 20, 1)
    place.write_bytes(json.encode(forged))
    assert write(of(head, "second", 2), [place]) == []
    assert list(kept(place).values()) == [forged]
