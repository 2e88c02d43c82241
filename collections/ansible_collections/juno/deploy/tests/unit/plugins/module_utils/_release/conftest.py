# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running deployer for the tests of this folder."""

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
