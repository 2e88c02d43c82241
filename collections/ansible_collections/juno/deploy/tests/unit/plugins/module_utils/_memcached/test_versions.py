# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each version of memcached can do; see the scenario clear_cache for the real ones."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._memcached import versions


@pytest.mark.parametrize(
    ("text", "parsed", "whole", "meta"),
    [
        ("1.4.39", (1, 4, 39), False, False),
        ("1.5.6", (1, 5, 6), False, False),
        ("1.5.22", (1, 5, 22), False, False),
        ("1.6.8", (1, 6, 8), False, False),
        ("1.6.9", (1, 6, 9), True, False),
        ("1.6.9_2_gabc", (1, 6, 9), True, False),
        ("1.6.10", (1, 6, 10), True, True),
        ("1.6.45", (1, 6, 45), True, True),
        ("1.10.0", (1, 10, 0), True, True),
        ("2.0", (2, 0, 0), True, True),
        ("", (), True, False),
        ("twemproxy", (), True, False),
    ],
)
def test_by_version(text, parsed, whole, meta):
    assert versions.parse(text) == parsed
    assert (versions.lists_whole(text), versions.has_meta_delete(text)) == (whole, meta)


@pytest.mark.parametrize(
    ("text", "may_leave"),
    [
        ("1.5.6", True),
        ("1.6.17", True),
        ("1.6.18", False),
        ("1.6.24_1", False),
        ("1.6.25", True),
        ("1.6.45", True),
        ("twemproxy", True),
    ],
)
def test_whether_a_flush_may_leave_items(text, may_leave):
    assert versions.flush_may_leave_items(text) is may_leave
