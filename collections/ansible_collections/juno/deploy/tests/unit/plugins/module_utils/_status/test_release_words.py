# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release in words."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._state.journal import Entry
from ansible_collections.juno.deploy.plugins.module_utils._status import release_words


@pytest.mark.parametrize(
    ("started", "ended", "text"),
    [("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z", "0"), ("2026-01-31T23:59:59Z", "2026-02-01T00:01:39Z", "100"),
     ("2026-01-31T10:00:00Z", "", ""), ("", "2026-01-31T10:00:00Z", ""), ("yesterday", "", "")],
)  # fmt: skip
def test_how_long_it_took(started, ended, text):
    assert release_words.took(Entry(started=started, ended=ended)) == text


@pytest.mark.parametrize(
    ("text", "short"), [("", ""), ("a\n  b", "a b"), ("0123456789", "0123456789"), ("0123456789a", "0123456...")]
)
def test_a_reason_is_one_bounded_line(text, short):
    assert release_words.shortened(text, 10) == short


@pytest.mark.parametrize(
    ("entry", "words"),
    [(Entry(), "deploy"), (Entry(strategy="recreate"), "deploy (recreate)"),
     (Entry(purpose="restart"), "restart"),
     (Entry(purpose="rollback", strategy="rolling"), "rollback (rolling)")],
)  # fmt: skip
def test_what_a_release_was(entry, words):
    assert release_words.how(entry) == words


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({}, "failed (no reason was recorded)"),
        ({"task": "", "reason": "It ended.\nSo."}, "failed (It ended. So)"),
        ({"task": "Verify", "reason": "x" * 200}, f"failed at 'Verify' ({'x' * 157}...)"),
    ],
)
def test_why_a_release_failed(figures, words):
    assert release_words.why_failed(Entry(figures=figures)) == words
