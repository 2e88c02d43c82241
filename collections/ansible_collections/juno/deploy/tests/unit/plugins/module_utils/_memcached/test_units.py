# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers as a person reads them."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._memcached.units import (
    human_bytes,
    human_count,
    human_duration,
)

KIB, MIB, GIB = 1024, 1024**2, 1024**3


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (1, "1 B"), (1023, "1023 B"), (KIB, "1.0 KiB"), (10 * KIB, "10.0 KiB"), (100 * MIB, "100.0 MiB"),
     (12897485, "12.3 MiB"), (MIB - 1, "1.0 MiB"), (3 * GIB // 2, "1.5 GiB"), (5000 * GIB, "4.9 TiB"),
     (5000 * 1024 * GIB, "5000.0 TiB")],
)  # fmt: skip
def test_human_bytes(number, text):
    assert human_bytes(number) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (10, "10"), (100, "100"), (1234567, "1,234,567")])
def test_human_count(number, text):
    assert human_count(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (1, "1 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (3601, "1 h"),
     (7500, "2 h 5 min"), (86400, "1 d"), (273600, "3 d 4 h"), (90000000, "1041 d 16 h")],
)  # fmt: skip
def test_human_duration(seconds, text):
    assert human_duration(seconds) == text
