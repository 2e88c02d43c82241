# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this folder share."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._runtime import cache_clearing
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


@pytest.fixture
def cleared(monkeypatch):
    """Clear no cache; note for which app it would be, how, and whether the journal knew then that it is pending."""
    notes = []

    def clear(app, caches):
        notes.append((app.project, caches, journal.invalidation_pending(journal.read(app.journal))))
        return {}

    monkeypatch.setattr(cache_clearing, "clear", clear)
    return notes


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path).take_the_place_of_the_real(monkeypatch)
