"""What every connector that exchanges files keeps, over whatever server `there` lends: import * and give `there`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hub.sdk import HubError, InDoubt, Outgoing, Page, Paused, Receipt, Rejected, RetryLater, TooLarge
from tests.connectors.cutter import Cutter, cutter

OLD = 1_700_000_000
NAME = "d-1-invoice.edi"


@dataclass(kw_only=True)
class There:
    """A server whose disk the test sees, and how to open a connection to it."""

    root: Path
    port: int
    opened: Callable[..., Any]
    """Opens the connector with settings: `opened(inbox="in", port=1234)`."""
    at: Any
    """The kit's clock."""
    hides_links: bool = True
    """False: their server shows a link as the file that it leads to."""
    via: list[Cutter] = field(default_factory=list)
    """The cutter that lines to other ports than the first go through, too."""

    def put(self, path: str, body: bytes, changed: int = OLD) -> Path:
        """Put a file there."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        os.utime(place, (changed, changed))
        return place

    def files(self, folder: str) -> dict[str, bytes]:
        """Return what lies in a folder, hidden files too."""
        return {each.name: each.read_bytes() for each in (self.root / folder).iterdir() if each.is_file()}

    @contextmanager
    def cut(self) -> Iterator[Cutter]:
        """Put a cutter between: call its port."""
        with cutter(self.port) as line:
            self.via[:] = [line]
            yield line
        self.via.clear()

    def old(self, **settings: Any) -> Any:
        """Open with files that are old enough at the first look."""
        return self.opened(**{"inbox": "in", "outbox": "out", "ready": "old", "old_after": 1, **settings})


def out(key: str = "d-1", body: bytes = b"ISA*00", kind: str = "invoice") -> Outgoing:
    """A delivery."""
    return Outgoing(key=key, kind=kind, body=body, name=f"{key}-{kind}.edi")


def names(pages: list[Page]) -> list[str]:
    """What came, in order."""
    return [message.name for page in pages for message in page.messages]


def looked(account: Any, kind: str = "order", cursor: str = "") -> list[Page]:
    """One look."""
    return list(account.pull(kind, cursor))


def test_a_file_is_taken_once_and_moved_away_after_it_was_stored(there: There) -> None:
    there.put("in/b.edi", b"second", OLD + 60)
    there.put("in/a.edi", b"first")
    account = there.old()

    pages = account.pull("order", "")
    page = next(pages)
    assert sorted(there.files("in")) == ["a.edi", "b.edi"]
    assert list(pages) == []

    assert [(message.name, message.body, message.kind) for message in page.messages] == [
        ("a.edi", b"first", "order"), ("b.edi", b"second", "order"),
    ]  # fmt: skip
    assert there.files("in") == {}
    assert there.files("in/taken") == {"a.edi": b"first", "b.edi": b"second"}
    assert looked(account) == []


def test_a_crash_between_storing_and_moving_repeats_the_file_under_its_event_id(there: There) -> None:
    there.put("in/a.edi", b"x")
    account = there.old()
    pages = account.pull("order", "")
    first = next(pages)
    pages.close()

    (second,) = looked(account)

    assert second.messages == first.messages


def test_a_file_is_whole_when_two_looks_found_it_unchanged(there: There) -> None:
    there.put("in/a.edi", b"half")
    account = there.opened(inbox="in")

    assert looked(account) == []
    there.put("in/a.edi", b"half and the rest", OLD + 60)
    assert looked(account) == []
    assert names(looked(account)) == ["a.edi"]


def test_a_file_is_whole_when_it_is_old_enough(there: There) -> None:
    now = int(there.at.now().timestamp())
    there.put("in/young.edi", b"x", now - 59)
    there.put("in/old.edi", b"x", now - 60)

    assert names(looked(there.old(old_after=60))) == ["old.edi"]


def test_a_file_is_whole_when_its_marker_is_there_and_the_marker_goes_with_it(there: There) -> None:
    there.put("in/a.edi", b"x")
    there.put("in/b.edi", b"x")
    there.put("in/b.ok", b"")
    account = there.opened(inbox="in", ready="marker", marker="{stem}.ok", patterns=("*.edi",))

    assert names(looked(account)) == ["b.edi"]
    assert there.files("in") == {"a.edi": b"x"}


def test_what_was_taken_may_be_deleted(there: There) -> None:
    there.put("in/a.edi", b"x")

    assert names(looked(there.old(after="delete"))) == ["a.edi"]
    assert there.files("in") == {}


def test_a_file_that_is_left_in_place_is_not_read_twice_and_a_new_one_of_its_name_is(there: There) -> None:
    there.put("in/a.edi", b"x")
    account = there.old(after="leave")

    (page,) = looked(account)
    assert looked(account, cursor=page.cursor) == []
    there.put("in/b.edi", b"y", OLD + 1)
    (second,) = looked(account, cursor=page.cursor)
    assert names([second]) == ["b.edi"]
    assert looked(account, cursor=second.cursor) == []
    there.put("in/a.edi", b"z", OLD + 2)
    assert names(looked(account, cursor=second.cursor)) == ["a.edi"]


def test_what_they_cleared_up_is_forgotten_by_the_cursor(there: There) -> None:
    there.put("in/a.edi", b"x")
    account = there.old(after="leave")
    (page,) = looked(account)
    (there.root / "in/a.edi").unlink()
    there.put("in/b.edi", b"y")

    (second,) = looked(account, cursor=page.cursor)

    assert len(second.cursor.split()) == 1


def test_a_file_that_is_written_again_while_it_is_stored_stays(there: There) -> None:
    there.put("in/a.edi", b"5")
    account = there.old()
    pages = account.pull("order", "")
    next(pages)
    there.put("in/a.edi", b"4", OLD + 60)

    assert list(pages) == []
    assert [message.body for page in looked(account) for message in page.messages] == [b"4"]


def test_a_name_that_was_archived_before_is_archived_beside_it(there: There) -> None:
    account = there.old()
    for body in (b"one", b"two"):
        there.put("in/a.edi", body)
        assert names(looked(account)) == ["a.edi"]

    assert sorted(there.files("in/taken").values()) == [b"one", b"two"]


def test_links_folders_and_hidden_files_are_left_alone(there: There) -> None:
    secret = there.put("secret", b"key")
    there.put("in/.hidden", b"x")
    there.put("in/folder/x", b"x")
    (there.root / "in/link.edi").symlink_to(secret)

    assert names(looked(there.old())) == ([] if there.hides_links else ["link.edi"])


def test_a_file_that_is_too_large_is_reported_and_holds_nothing_up(there: There) -> None:
    there.put("in/a.edi", b"much too large")
    there.put("in/b.edi", b"fine", OLD + 60)
    found: list[Page] = []

    with pytest.raises(TooLarge, match=r"in/a\.edi has more than 10 bytes"):
        found.extend(there.old(cap=10).pull("order", ""))

    assert names(found) == ["b.edi"]
    assert list(there.files("in")) == ["a.edi"]


def test_one_look_takes_no_more_files_than_it_may_and_the_oldest_first(there: There) -> None:
    for number in range(40):
        there.put(f"in/{number:02}.edi", b"x", OLD + 100 - number)
    account = there.old(most_files=35)

    first = looked(account)

    assert [len(page.messages) for page in first] == [32, 3]
    assert names(first) == [f"{number:02}.edi" for number in range(39, 4, -1)]
    assert names(looked(account)) == [f"{number:02}.edi" for number in range(4, -1, -1)]


def test_patterns_and_folders_by_document(there: There) -> None:
    there.put("orders/a.edi", b"x")
    there.put("orders/a.tmp", b"x")
    there.put("ack/r.txt", b"x")
    account = there.old(inbox="{kind}s", inboxes={"receipt": "ack"}, patterns=("*.edi", "*.txt"))

    assert names(looked(account)) == ["a.edi"]
    assert names(looked(account, "receipt")) == ["r.txt"]


def test_an_empty_file_and_a_large_one_arrive_as_they_are(there: There) -> None:
    large = os.urandom(3_000_001)
    there.put("in/a", b"")
    there.put("in/b", large)

    assert [message.body for page in looked(there.old()) for message in page.messages] == [b"", large]


def test_a_document_lies_there_whole_under_its_name_and_twice_is_once(there: There) -> None:
    account = there.old()
    body = os.urandom(1_000_003)

    receipts = [account.push(out(body=body)), account.push(out(body=body))]

    assert [each.reference for each in receipts] == [NAME, NAME]
    assert there.files("out") == {NAME: body}
    assert account.find(out(body=body)) == Receipt(reference=NAME)


def test_several_documents_go_in_one_call_and_one_refusal_harms_no_other(there: There) -> None:
    there.put(f"out/{NAME}", b"somebody else's")
    outs = [out(), out("d-2"), out("d-3", kind="receipt")]

    results = there.old(outboxes={"receipt": "ack"}).push_many(outs)

    assert isinstance(results[0], Rejected)
    assert results[1:] == [Receipt(reference="d-2-invoice.edi"), Receipt(reference="d-3-receipt.edi")]
    assert there.files("out") == {NAME: b"somebody else's", "d-2-invoice.edi": b"ISA*00"}
    assert there.files("ack") == {"d-3-receipt.edi": b"ISA*00"}


@pytest.mark.parametrize("theirs", [b"short", b"theirs"])
def test_a_file_of_theirs_is_never_written_over(there: There, theirs: bytes) -> None:
    there.put(f"out/{NAME}", theirs)

    with pytest.raises(Rejected, match=r"out/d-1-invoice\.edi is there already with other content; nothing was sent"):
        there.old().push(out())

    assert there.files("out") == {NAME: theirs}


def test_beside_a_file_of_theirs_it_may_get_another_name_and_still_only_once(there: There) -> None:
    there.put("out/invoice.edi.d-1", b"theirs")
    account = there.old(file_name="{kind}.edi.{key}", name_taken="another")

    receipts = [account.push(out()), account.push(out())]

    assert [each.reference for each in receipts] == ["invoice.edi-d-1.d-1"] * 2
    assert there.files("out") == {"invoice.edi.d-1": b"theirs", "invoice.edi-d-1.d-1": b"ISA*00"}


def test_it_is_written_under_a_temporary_name_of_their_choice(there: There) -> None:
    (there.root / "parts").mkdir()
    there.put("out/d-2-invoice.edi", b"something else")
    account = there.old(temporary="parts/{name}.tmp")

    account.push(out())

    assert there.files("out").keys() == {NAME, "d-2-invoice.edi"}
    assert there.files("parts") == {}


def test_what_never_got_its_name_is_certainly_not_there(there: There) -> None:
    there.put(f"out/.{NAME}.part", b"half")

    assert there.old().find(out()) is None


def test_what_is_gone_with_its_temporary_name_is_for_a_person_to_find_out_or_for_their_check_of_repeats(
    there: There,
) -> None:
    with pytest.raises(Rejected, match="they may have taken it"):
        there.old().find(out())

    assert there.old(when_gone="resend").find(out()) is None


def test_a_folder_that_is_not_there_pauses_the_connection_and_says_which(there: There) -> None:
    account = there.old(inbox="elsewhere", outbox="nowhere")

    for act in (account.check, lambda: looked(account)):
        with pytest.raises(Paused, match="elsewhere"):
            act()
    with pytest.raises(Paused, match="nowhere"):
        account.push(out())


def test_checking_changes_nothing(there: There) -> None:
    there.put("in/a.edi", b"x")

    there.old(inbox="in", outbox="out").check()

    assert there.files("in") == {"a.edi": b"x"}
    assert there.files("out") == {}


def test_without_an_outbox_nothing_is_sent_and_without_an_inbox_nothing_is_fetched(there: There) -> None:
    account = there.opened()

    assert looked(account) == []
    with pytest.raises(Rejected, match="has no outbox"):
        account.push(out())


def test_an_address_that_is_not_allowed_is_not_called(there: There) -> None:
    for host in ("10.1.2.3", "169.254.169.254"):
        with pytest.raises(Rejected, match="an admin can allow the network"):
            there.opened(host=host, inbox="in").check()


def test_nobody_at_the_address_is_tried_later(there: There) -> None:
    with pytest.raises(RetryLater, match="cannot be reached"):
        there.opened(port=1, inbox="in").check()


def test_a_line_that_is_cut_anywhere_leaves_a_whole_document_or_none_and_the_next_try_exactly_one(
    there: There,
) -> None:
    body = os.urandom(60_000)
    kinds = set()
    with there.cut() as line:
        account = there.old(port=line.port, deadline=5, when_gone="resend")
        account.push(out("whole", body))
        steps = [line.sent * part // 8 for part in range(8)]
        steps += [line.sent - back for back in (1500, 1000, 700, 500, 300, 200, 100, 50, 10)]
        for number, after in enumerate(steps):
            document = out(f"d-{number}", body)
            line.arm(sent=after)
            kinds.add(_attempted(account, document))
            assert there.files("out").get(document.name, body) == body
            line.arm()
            assert account.find(document) or account.push(document)
            assert there.files("out")[document.name] == body

    left = there.files("out")
    assert all(left[name] == body for name in left)
    assert len(left) == len(steps) + 1
    assert RetryLater in kinds
    assert kinds <= {RetryLater, InDoubt, Receipt}


def _attempted(account: Any, document: Outgoing) -> type:
    try:
        return type(account.push(document))
    except HubError as error:
        return type(error)


def test_a_line_that_is_cut_while_a_file_is_fetched_leaves_it_for_the_next_look(there: There) -> None:
    body = os.urandom(400_000)
    there.put("in/a.edi", body)
    with there.cut() as line:
        account = there.old(port=line.port, deadline=5)
        for answered in (200_000, 390_000):
            line.arm(answered=answered)
            with pytest.raises(RetryLater):
                looked(account)
        line.arm()

        assert [message.body for page in looked(account) for message in page.messages] == [body]


def test_a_server_that_hangs_is_left_at_the_deadline(there: There) -> None:
    with there.cut() as line:
        line.is_silent = True
        with pytest.raises(RetryLater):
            there.old(port=line.port, deadline=1).check()


__all__ = ["There", "looked", "names", "out", *(name for name in dir() if name.startswith("test_"))]
