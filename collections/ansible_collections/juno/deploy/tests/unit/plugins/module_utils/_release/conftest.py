# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running deployer, and functions that note what they are asked, for the tests of this folder."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._release import deployer as release_deployer
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import running_deployer


@pytest.fixture
def deployer(tmp_path, monkeypatch):
    monkeypatch.setattr(release_deployer, "LOOK_SECONDS", 0.02)
    running = running_deployer.Running(tmp_path)
    yield running
    running.end()


@pytest.fixture
def asked(monkeypatch):
    """Let a function note what it is asked, instead of doing it."""
    notes = []

    def instead(module, name, answer=None):
        def note(*args, **more):
            notes.append((*args, more) if more else args)
            return dict(answer or {})

        monkeypatch.setattr(module, name, note)
        return notes

    return instead
