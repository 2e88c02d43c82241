# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: a table of situations."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _plan

OLD, NEW = "a" * 40, "b" * 40
SERVED = _plan.Situation(
    checkout_commit=NEW,
    target_commit=NEW,
    serving_commit=NEW,
    last_failed=False,
    not_running=(),
    images_match=True,
    changed=(),
    code_mounted=True,
    always_build=False,
    force=False,
)
BEHIND = dataclasses.replace(SERVED, checkout_commit=OLD, serving_commit=OLD, changed=("templates/home.html",))


def test_what_serves_is_left_alone_even_by_a_full_deploy():
    plan = _plan.make(dataclasses.replace(SERVED, always_build=True))
    assert (plan.deploy, plan.build) == (False, False)
    assert plan.reasons == ["bbbbbbbbbbbb serves already"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"force": True}, "it was asked for"),
        ({"last_failed": True, "serving_commit": ""}, "the last deploy did not end well"),
        ({"serving_commit": ""}, "no release of this app is recorded here yet"),
        ({"serving_commit": OLD}, "release aaaaaaaaaaaa serves, bbbbbbbbbbbb is new"),
        ({"checkout_commit": OLD}, "the checkout is at aaaaaaaaaaaa"),
        ({"not_running": ("web",)}, "no container runs for: web"),
        ({"images_match": False}, "a container runs another image than the one that was deployed"),
    ],
)
def test_every_drift_is_a_reason(change, reason):
    plan = _plan.make(dataclasses.replace(SERVED, **change))
    assert plan.deploy
    assert reason in plan.reasons


@pytest.mark.parametrize(
    ("change", "build"),
    [
        ({}, False),
        ({"always_build": True}, True),
        ({"code_mounted": False}, True),
        ({"changed": None}, True),
        ({"images_match": False}, True),
        ({"last_failed": True}, True),
        ({"changed": ("app/requirements/base.txt",)}, True),
        ({"changed": ("README.md", "Dockerfile")}, True),
    ],
)
def test_when_a_quick_deploy_builds(change, build):
    assert _plan.make(dataclasses.replace(BEHIND, **change)).build is build


@pytest.mark.parametrize(
    ("name", "yes"),
    [
        ("Dockerfile", True),
        ("docker/Dockerfile.prod", True),
        ("docker-compose.yml", True),
        ("requirements-dev.txt", True),
        ("requirements/base.in", True),
        ("package-lock.json", True),
        ("pyproject.toml", True),
        ("jobs/views.py", False),
        ("templates/compose.html", False),
        ("docs/requirements.md", False),
    ],
)
def test_in_image(name, yes):
    assert _plan.in_image(name) is yes


def test_caches_that_are_owed_are_a_reason_but_none_to_build():
    plan = _plan.make(dataclasses.replace(SERVED, caches_owed=True))
    assert (plan.deploy, plan.build) == (True, False)
    assert plan.reasons == ["the caches may hold pages of a release that was given up"]
