# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease, on a real file system and the real clock, with times made short."""

from __future__ import annotations

import dataclasses
import os
import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _app, _lease, _lock, _orphan
from ansible_collections.juno.deploy.plugins.module_utils._errors import JunoError

SSH = {"SSH_CONNECTION": "203.0.113.5 50000 198.51.100.7 22"}


def holder(lease="one", **fields):
    return dataclasses.replace(_lease.claim(lease, "rohit@laptop", "deploy", SSH), **fields)


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setattr(_lease, "TTL_SECONDS", 1.0)
    monkeypatch.setattr(_lease, "WATCH_SECONDS", 0.6)
    monkeypatch.setattr(_lease, "LOOK_AGAIN_SECONDS", 0.05)
    return str(tmp_path / "junojobs")


@pytest.fixture
def beating(directory):
    """Give a function that lets a lease's heart beat, from a number of seconds away, until the test ends."""
    ended = threading.Event()
    hearts = []

    def heart(lease, offset):
        while not ended.wait(0.2):
            at = time.time() + offset
            os.utime(_lease.alive_path(directory, lease), (at, at))

    def start(lease, offset=0.0):
        hearts.append(threading.Thread(target=heart, args=(lease, offset)))
        hearts[-1].start()

    yield start
    ended.set()
    for one in hearts:
        one.join()


def set_beat(directory, lease, seconds_ago):
    at = time.time() - seconds_ago
    os.utime(_lease.alive_path(directory, lease), (at, at))


@pytest.mark.parametrize(
    ("environment", "address"), [(SSH, "203.0.113.5"), ({"SSH_CONNECTION": "::1 1 ::1 22"}, "::1"), ({}, "")]
)
def test_a_claim_says_who_and_from_where(environment, address):
    claim = _lease.claim("one", "rohit@laptop", "rollback", environment)
    assert (claim.who, claim.host, claim.address, claim.purpose) == ("rohit@laptop", "laptop", address, "rollback")


@pytest.mark.parametrize(("age", "seconds"), [(0, 30), (5, 25), (29, 8), (31, 8), (9999, 8), (-1, 30), (-3600, 30)])
def test_how_long_a_dead_heart_is_watched(age, seconds):
    assert _lease.quiet_needed(age) == seconds


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "A deploy of junojobs by rohit@laptop (from 203.0.113.5) has been at work since 2026-01-31T10:00:00Z"),
        ({"address": ""}, "A deploy of junojobs by rohit@laptop has been at work since"),
        ({"purpose": "rollback"}, "A rollback of junojobs by"),
        ({"purpose": "of tomorrow"}, "A deploy of junojobs by"),
    ],
)
def test_a_refusal_says_who_from_where_since_when_and_what_to_do(fields, words):
    told = _lease.refusal("junojobs", holder(since="2026-01-31T10:00:00Z", **fields))
    assert words in told
    assert told.endswith("is alive: let it end, then run this again. Nothing was changed.")


def test_it_is_taken_and_given_back(directory):
    for lease in ("one", "two"):
        taken = _lease.take(directory, holder(lease))
        assert (taken.previous, taken.orphan) == (None, "")
        standing = _lease.standing(directory)
        assert (standing["id"], standing["alive"], standing["beat_age_seconds"] < 5) == (lease, True, True)
        assert _lease.give_back(directory, lease)
        assert sorted(os.listdir(directory)) == ["lease.lock"]
    assert _lease.standing(directory) == {}


def test_taking_ones_own_again_changes_nothing(directory):
    _lease.take(directory, holder())
    assert _lease.take(directory, holder()).previous is None


@pytest.mark.parametrize("offset", [0, -3600, 3600], ids=["clock right", "clock set forward", "clock set back"])
def test_a_live_one_is_respected(directory, beating, offset):
    _lease.take(directory, holder())
    set_beat(directory, "one", -offset)
    beating("one", offset)
    before = _lease.read(directory)
    with pytest.raises(JunoError, match="rohit@laptop") as caught:
        _lease.take(directory, holder("two"))
    assert caught.value.details["holder"]["id"] == "one"
    assert _lease.read(directory) == before
    assert not os.path.exists(_lease.alive_path(directory, "two"))


@pytest.mark.parametrize("ago", [0, 5, 9999, -9999], ids=["a moment ago", "past", "long past", "future"])
def test_one_that_was_cut_off_is_taken_over(directory, ago):
    first = _lease.take(directory, holder()).holder
    set_beat(directory, "one", ago)
    began = time.monotonic()
    assert _lease.take(directory, holder("two")).previous == first
    assert time.monotonic() - began < 5
    assert sorted(os.listdir(directory)) == ["alive-two", "lease.json", "lease.lock", "lock"]


def test_one_whose_controller_ended_is_taken_over_at_once(directory, monkeypatch):
    first = _lease.take(directory, holder()).holder
    os.unlink(_lease.alive_path(directory, "one"))
    assert not _lease.standing(directory)["alive"]
    monkeypatch.setattr(_lease, "WATCH_SECONDS", 99)
    assert _lease.take(directory, holder("two")).previous == first


def test_one_that_is_given_back_meanwhile_was_not_dead(directory):
    _lease.take(directory, holder())
    timer = threading.Timer(0.3, _lease.give_back, (directory, "one"))
    timer.start()
    assert _lease.take(directory, holder("two")).previous is None
    timer.join()


def test_of_two_that_take_over_one_is_refused(directory, beating):
    _lease.take(directory, holder())
    results = []

    def take(lease):
        try:
            results.append(_lease.take(directory, holder(lease)).holder.id)
            beating(lease)
        except JunoError as exc:
            results.append(exc.details["holder"]["id"])

    takers = [threading.Thread(target=take, args=(lease,)) for lease in ("two", "three")]
    for one in takers:
        one.start()
    for one in takers:
        one.join()
    assert len(results) == 2
    assert set(results) == {_lease.read(directory).id}


def test_where_an_orphan_cannot_be_ended_the_next_one_tries_again(directory, monkeypatch):
    _lease.take(directory, holder())
    os.unlink(_lease.alive_path(directory, "one"))

    def busy(_directory):
        raise _lock.BusyError("busy")

    with monkeypatch.context() as patched:
        patched.setattr(_orphan, "end", busy)
        with pytest.raises(_lock.BusyError):
            _lease.take(directory, holder("two"))
    assert not _lease.standing(directory)["alive"]
    assert _lease.take(directory, holder("three")).previous.id == "two"


def test_another_ones_is_not_given_back(directory):
    _lease.take(directory, holder())
    assert not _lease.give_back(directory, "two")
    assert _lease.standing(directory)["alive"]
    assert not _lease.give_back(directory + "-none", "two")


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [
        ("", None, None),
        ("", "two", None),
        ("one", "one", None),
        ("one", "two", "rohit@laptop has taken it over since"),
        ("one", None, "it was given back"),
    ],
)
def test_a_lost_lease_stops_a_step(tmp_path, mine, theirs, told):
    app = _app.App("/root/x", "junojobs", "web", (), (), "", str(tmp_path), lease=mine)
    if theirs:
        _lease.take(app.state_directory, holder(theirs))
    if told is None:
        with _lease.step(app, "the switch"), pytest.raises(_lock.BusyError), _lock.held(app.state_directory, "x", 0):
            pytest.fail("the lock was not held")
    else:
        with pytest.raises(JunoError, match=told), _lease.step(app, "the switch"):
            pytest.fail("it was done")


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"id": "one"}'])
def test_what_is_no_lease_is_told(text):
    with pytest.raises(JunoError, match=r"lease /x can't be read"):
        _lease.parse(text, "/x")


def test_a_lease_that_cannot_be_written_leaves_nothing(directory, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JunoError, match=r"\(No space left on device\): make room.*Nothing was changed"):
        _lease.take(directory, holder())
    assert sorted(os.listdir(directory)) == ["lease.lock"]
