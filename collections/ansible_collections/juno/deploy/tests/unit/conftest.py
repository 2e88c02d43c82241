# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every unit test begins with."""

from __future__ import annotations

import os

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import events as base_events


@pytest.fixture
def events():
    """Return what the code under test tells to whoever watches it."""
    lines: list[str] = []
    base_events.set_sink(lines.append)
    yield lines
    base_events.set_sink(None)


@pytest.fixture(autouse=True)
def the_engine_of_this_machine():
    """Let no test leave another Engine's address to those that come after it, as modules do in their own process."""
    before = os.environ.pop("DOCKER_HOST", None)
    yield
    os.environ.pop("DOCKER_HOST", None)
    if before is not None:
        os.environ["DOCKER_HOST"] = before
