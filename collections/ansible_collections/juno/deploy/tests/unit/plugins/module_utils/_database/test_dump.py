# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a program printed is a whole dump."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._database import dump


@pytest.mark.parametrize(
    ("vendor", "first", "last", "whole"),
    [
        ("postgresql", b"PGDMP\x01\x10", b"", True),
        ("postgresql", b"-- PostgreSQL", b"", False),
        ("postgresql", b"", b"", False),
        ("mysql", b"/*M!999999", b"-- Dump completed on 2026-01-01  1:00:00\n", True),
        ("mysql", b"/*M!999999", b"INSERT INTO `jobs_job` VAL", False),
    ],
)
def test_is_whole(vendor, first, last, whole):
    assert dump.is_whole(vendor, first, last) is whole
