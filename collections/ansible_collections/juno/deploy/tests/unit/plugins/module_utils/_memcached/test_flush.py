# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting what survived a flush, with lines as real servers write them."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._memcached import flush as memcached_flush
from ansible_collections.juno.deploy.plugins.module_utils._memcached.flush import FlushOutcome, Tally, count_lines
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Options, Server, ServerError

# memcached 1.6.18 and 1.6.38; the first key holds " cas=99 " as text, URI-encoded.
OLD_18 = b"key=a%20cas%3D99%20b exp=-1 la=1795365411 cas=2 fetch=yes cls=1 size=65\n"
OLD_38 = b"key=c%C3%BC exp=1795365773 la=1795365713 cas=9 fetch=no cls=1 size=53 flags=0 \n"
NEW_38 = b"key=d exp=-1 la=1795365411 cas=11 fetch=no cls=1 size=65 flags=0\n"
MARKER = 10


@pytest.mark.parametrize(
    ("lines", "tally"),
    [
        ([], Tally(0, 0)),
        ([b"OK\r\n"], Tally(0, 0)),
        ([NEW_38], Tally(1, 0)),
        ([b"OK\r\n", OLD_18, NEW_38, OLD_38], Tally(3, 2)),
        ([OLD_18.replace(b"cas=2", b"cas=10")], Tally(1, 0)),
        # What can't be read counts as old: better a second flush too many.
        ([b"key=e exp=-1\n"], Tally(1, 1)),
        ([b"ERROR metadump not allowed\r\n"], Tally(0, 0, "ERROR metadump not allowed")),
        ([NEW_38, b"ERROR locked try again later\r\n"], Tally(1, 0, "ERROR locked try again later")),
    ],
)
def test_count_lines(lines, tally):
    assert count_lines(lines, MARKER) == tally


def test_count_lines_holds_few_of_them():
    tally = count_lines((OLD_38 for _number in range(100_000)), MARKER)
    assert tally == Tally(100_000, 100_000)
    assert len(tally.keys) == memcached_flush.MOST_DELETED


@pytest.mark.parametrize(
    ("complaint", "busy"),
    [
        ("BUSY currently processing crawler request", True),
        ("ERROR locked try again later", True),
        ("ERROR metadump not allowed", False),
        ("CLIENT_ERROR lru crawler disabled", False),
        ("", False),
    ],
)
def test_busy(complaint, busy):
    assert Tally(complaint=complaint).busy is busy


class Script:
    """A connection that answers each list of keys with the next of those prepared, the last one again and again."""

    def __init__(self, *dumps, marker=MARKER, timeout_seconds=0.3, version="1.6.38"):
        self.version = version
        self.server = Server("10.0.0.5")
        self.options = Options(timeout_seconds=timeout_seconds)
        self.dumps = list(dumps)
        self.marker = marker
        self.sent = []

    def newest_cas(self, key):
        self.sent.append("marker")
        if isinstance(self.marker, ServerError):
            raise self.marker
        return self.marker

    def flush(self):
        self.sent.append("flush")

    def metadump(self, _limit_seconds):
        self.sent.append("list")
        dump = self.dumps.pop(0) if len(self.dumps) > 1 else self.dumps[0]
        if isinstance(dump, ServerError):
            raise dump
        return dump

    def delete_many(self, commands, count):
        self.sent.append(commands)
        return count


BUSY = [b"BUSY currently processing crawler request\r\n"]


@pytest.fixture
def naps(monkeypatch):
    """Pauses that are noted and not slept."""
    found = []
    monkeypatch.setattr(memcached_flush.time, "sleep", found.append)
    return found


def flush(script):
    outcome = FlushOutcome(script.server)
    memcached_flush._flush_and_count(script, outcome)
    return outcome


def test_one_flush_is_enough_when_nothing_survives(naps):
    script = Script([NEW_38])
    outcome = flush(script)
    assert script.sent == ["marker", "flush", "list"]
    assert naps == []
    assert (outcome.status, outcome.verified, outcome.survivors, outcome.items_after) == ("flushed", True, 0, 1)


def test_what_survives_is_deleted_by_name(naps):
    script = Script([OLD_18, NEW_38, OLD_38], [NEW_38])
    outcome = flush(script)
    # A space only base64 can carry.
    deleted = b"md YSBjYXM9OTkgYg== b\r\nmd c\xc3\xbc\r\n"
    assert script.sent == ["marker", "flush", "list", deleted, "list"]
    assert naps == []
    assert (outcome.survivors_first, outcome.survivors, outcome.flushes, outcome.verified) == (2, 0, 1, True)


def test_a_second_flush_in_the_next_second_when_items_survive_that_too(naps):
    script = Script([NEW_38.replace(b"cas=11", b"cas=9")], [OLD_18], [])
    outcome = flush(script)
    assert script.sent == ["marker", "flush", "list", b"md d\r\n", "list", "flush", "list"]
    assert len(naps) == 1
    assert 1.0 < naps[0] <= 1.1
    assert (outcome.survivors_first, outcome.survivors, outcome.flushes, outcome.verified) == (1, 0, 2, True)


def test_the_second_follows_the_answer_to_the_first(monkeypatch):
    script, clock, slept = Script([b"ERROR metadump not allowed\r\n"]), [100.0], []
    monkeypatch.setattr(memcached_flush.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(memcached_flush.time, "sleep", slept.append)
    # The server takes its time for a flush.
    monkeypatch.setattr(script, "flush", lambda: clock.__setitem__(0, clock[0] + 0.8))
    flush(script)
    assert slept == [pytest.approx(1.1)]


def test_very_many_survivors_are_flushed_again(naps, monkeypatch):
    monkeypatch.setattr(memcached_flush, "MOST_DELETED", 1)
    script = Script([OLD_18, OLD_38], [])
    assert flush(script).flushes == 2
    assert script.sent == ["marker", "flush", "list", "flush", "list"]


def test_survivors_of_two_flushes_are_a_failure(naps):
    outcome = flush(Script([OLD_18]))
    assert outcome.failed
    assert (outcome.status, outcome.survivors, outcome.verified) == ("survivors", 1, False)
    assert "still serves 1 old items after two flushes" in outcome.message


def test_a_busy_server_is_asked_again(naps):
    script = Script(BUSY, BUSY, [])
    outcome = flush(script)
    assert script.sent == ["marker", "flush", "list", "list", "list"]
    assert outcome.verified


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(BUSY, timeout_seconds=0.01), "another crawl was in the way for 0.01 s (BUSY"),
        (Script([b"ERROR metadump not allowed\r\n"]), "memcached -X forbids it"),
        (Script([b"CLIENT_ERROR lru crawler disabled\r\n"]), "memcached -o no_lru_crawler forbids it"),
        (Script([b"ERROR\r\n"]), "the server said ERROR"),
        (Script([], marker=0), "memcached -C"),
        (Script([], marker=ServerError("error", "out of memory")), "the marker could not be stored: out of memory"),
        (Script(ServerError("silent", "gave no answer")), "the keys could not be listed: gave no answer"),
    ],
)
def test_a_second_flush_when_survivors_cannot_be_counted(naps, script, reason):
    outcome = flush(script)
    assert script.sent.count("flush") == 2
    assert (outcome.status, outcome.verified, outcome.survivors) == ("flushed", False, None)
    assert reason in outcome.unverified_reason


def test_one_flush_is_enough_where_the_version_leaves_nothing(naps):
    script = Script([b"ERROR metadump not allowed\r\n"], version="1.6.24")
    outcome = flush(script)
    assert script.sent == ["marker", "flush", "list"]
    assert (outcome.status, outcome.verified, outcome.survivors) == ("flushed", False, None)
    assert "memcached -X forbids it" in outcome.unverified_reason


def test_a_list_that_comes_at_the_second_try_verifies(naps):
    outcome = flush(Script(ServerError("silent", "gave no answer"), []))
    assert (outcome.flushes, outcome.verified, outcome.unverified_reason) == (2, True, "")


def test_a_lost_connection_before_the_flush_is_a_failure():
    with pytest.raises(ServerError):
        flush(Script([], marker=ServerError("closed", "closed the connection")))
