# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs as text."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._status import logs


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"", ""), (b"one\r\ntwo\n\n", "one\ntwo"), (b"\x1b[31mred\x1b[0m\n", "red"), (b"\xff  \n", "\ufffd")],
)
def test_a_log_is_plain_text(raw, text):
    assert logs.clean(raw) == text
