# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for what comes about, bounded in time."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for, while_looking


@pytest.mark.parametrize("answers", [[True], [False, True], [False] * 10 + [True]])
def test_it_asks_until_it_is_so_and_no_more(answers):
    left = [*answers, "never asked"]
    assert wait_for(lambda: left.pop(0), 5, 0.001) is True
    assert left == ["never asked"]


def test_without_time_it_still_asks_once():
    assert wait_for(lambda: True, 0) is True


def test_time_is_up():
    began = time.monotonic()
    assert wait_for(lambda: False, 0.05, 0.01) is False
    assert 0.05 <= time.monotonic() - began < 2


def test_an_error_of_the_question_goes_up():
    with pytest.raises(ZeroDivisionError):
        wait_for(lambda: bool(1 // 0), 5)


def test_it_looks_while_something_is_done():
    looks, enough = [], threading.Event()

    def look():
        looks.append(1)
        if len(looks) == 3:
            enough.set()

    assert while_looking(lambda: enough.wait(60), look, 0.001) is True
    assert len(looks) >= 3


def test_what_is_seen_meanwhile_ends_the_waiting():
    never = threading.Event()
    with pytest.raises(ZeroDivisionError):
        while_looking(lambda: never.wait(60), lambda: 1 // 0, 0.001)
    never.set()


def test_an_error_of_what_is_done_goes_up():
    with pytest.raises(ZeroDivisionError):
        while_looking(lambda: 1 // 0, lambda: None, 0.001)
