# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every unit test begins with."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def the_engine_of_this_machine(monkeypatch):
    """Let no test leave another Engine's address to those that come after it, as modules do in their own process."""
    monkeypatch.setenv("DOCKER_HOST", "")
