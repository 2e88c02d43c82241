# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step tells to whoever watches it."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import events as base_events
from ansible_collections.juno.deploy.plugins.module_utils._base import masking


def test_nobody_has_to_listen():
    base_events.set_sink(None)
    base_events.tell("moves the checkout")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("moves the checkout to 1f5d0b1", "moves the checkout to 1f5d0b1"),
        ("  two\nlines\r\n and\ta tab  ", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07words\x1b[2K", "red words"),
        ("bell\x07, null\x00, \x9b31mC1", "bell , null , 31mC1"),
        ("right to left: \u202egnol\u2028next", "right to left: gnol next"),
        ("caf\u00e9 \u2713 \U0001f680", "caf\u00e9 \u2713 \U0001f680"),
        ("half a \udcc3 character", "half a character"),
        ("x" * 161, "x" * 157 + "..."),
        ("x" * 160, "x" * 160),
        ("y " * 200_000, ("y " * 78 + "y...")),
        ("from postgres://juno:hunter2@db/juno", "from postgres://********@db/juno"),
    ],
)
def test_a_line_may_be_shown(events, text, line):
    base_events.tell(text)
    assert events == [line]
    assert len(events[0]) <= base_events.LENGTH


def test_a_secret_is_hidden_before_the_line_is_cut(events, monkeypatch):
    known = masking.Known()
    known.add("correct-horse-battery")
    monkeypatch.setattr(masking, "known", known)
    base_events.tell("x" * 150 + " correct-horse-battery")
    base_events.tell("ARG correct-\x1b[0mhorse-battery")
    assert events == ["x" * 150 + " ********", "ARG ********"]


@pytest.mark.parametrize("text", ["", " \n", "\x00"])
def test_nothing_is_told_of_nothing(events, text):
    base_events.tell(text)
    assert events == []


def test_the_very_same_is_told_once_until_something_else_was(events):
    for text in ("waits", "waits", " waits\n", "goes on", "waits"):
        base_events.tell(text)
    assert events == ["waits", "goes on", "waits"]


def test_counts_wait_until_nothing_was_told_for_a_while(events):
    for number in range(3):
        base_events.tell(f"{number} of 3 pages", after_seconds=0)
        base_events.tell(f"{number} of 3 files", after_seconds=60)
    assert events == ["0 of 3 pages", "1 of 3 pages", "2 of 3 pages"]


def test_a_count_is_told_where_nothing_was_told_yet(events):
    base_events.tell("1 of 3 pages", after_seconds=60)
    assert events == ["1 of 3 pages"]


def test_a_new_sink_knows_nothing_of_the_one_before():
    first: list[str] = []
    second: list[str] = []
    for lines in (first, second):
        base_events.set_sink(lines.append)
        base_events.tell("waits")
    base_events.set_sink(None)
    assert first == second == ["waits"]


def test_a_sink_that_fails_fails_nobody_else():
    def refuse(_line: str) -> None:
        raise BrokenPipeError

    base_events.set_sink(refuse)
    base_events.tell("waits")
    base_events.set_sink(None)


def test_threads_may_tell(events):
    threads = [threading.Thread(target=base_events.tell, args=(f"thread {number}",)) for number in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(events) == sorted(f"thread {number}" for number in range(20))
