# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a database has room for two releases."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import connections


@pytest.mark.parametrize(
    ("room", "strategy", "few"),
    [
        ({}, "rolling", False),
        ({"most": 97, "open": 20, "mine": 10}, "rolling", False),
        ({"most": 97, "open": 60, "mine": 37}, "rolling", False),
        ({"most": 97, "open": 60, "mine": 38}, "rolling", True),
        ({"most": 97, "open": 60, "mine": 38}, "reload", True),
        ({"most": 97, "open": 60, "mine": 38}, "recreate", False),
        ({"most": 97, "open": 60, "mine": 38}, "", False),
    ],
)
def test_too_few(room, strategy, few):
    assert bool(connections.too_few(room, strategy)) is few
    assert "max_connections" in "".join(connections.too_few(room, strategy)) or not few
