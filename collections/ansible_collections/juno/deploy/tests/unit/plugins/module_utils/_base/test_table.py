# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Aligned columns."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils._base.table import columns


def test_columns():
    assert columns([("A", "B", "C"), ("long", "1", ""), ("x", "100", "22")]) == [
        "A       B   C",
        "long    1",
        "x     100  22",
    ]
    assert columns([]) == []


def test_any_column_may_stand_left():
    assert columns([("1", "a"), ("100", "long")], left=(1,)) == ["  1  a", "100  long"]
