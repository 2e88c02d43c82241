# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action that all steps share; how it follows one is in test_watch."""

from __future__ import annotations

import importlib
import pathlib

import pytest
import yaml
from ansible_collections.juno.deploy.plugins.action import release_step
from ansible_collections.juno.deploy.plugins.module_utils._base import options

RUNTIME = pathlib.Path(release_step.__file__).parents[2] / "meta" / "runtime.yml"


@pytest.mark.parametrize("name", options.STEPS)
def test_each_step_has_the_one_action(name):
    module = importlib.import_module(f"ansible_collections.juno.deploy.plugins.action.release_{name}")
    assert module.ActionModule is release_step.ActionModule
    assert name in release_step.DOING


def test_the_steps_share_module_defaults():
    group = yaml.safe_load(RUNTIME.read_text())["action_groups"]["step"]
    assert sorted(group) == sorted(f"release_{name}" for name in (*options.STEPS, "step"))
