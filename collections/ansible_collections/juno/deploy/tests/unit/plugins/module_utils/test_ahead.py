# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build that begins before its module comes: what is taken of it, and when it is made anew."""

from __future__ import annotations

import dataclasses
import os
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _ahead as it
from ansible_collections.juno.deploy.plugins.module_utils import _processes, _release
from ansible_collections.juno.deploy.plugins.module_utils._app import App
from ansible_collections.juno.deploy.plugins.module_utils._errors import CommandError, JunoError

ORDER = _release.BuildOrder("8f5d0b1c", True, ("python", "manage.py", "check"), 60, 60, headers={"Host": "example.org"})
OTHER = dataclasses.replace(ORDER, commit="0a1b2c3d")
RESULT = {"changed": True, "images": {"web": "jobs-web:juno-8f5d0b1c"}}


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setattr(it, "builder", None)
    (tmp_path / "jobs").mkdir()
    return App("/root/jobs", "jobs", "web", (), (), "", str(tmp_path), "0c6a7a3c9a0d4f0e")


@pytest.fixture
def builds(monkeypatch):
    """Note what is built; what can't be built says so."""
    made = []

    def build(_run, _app, order, *, dry):
        made.append((order.commit, dry))
        if order.commit == OTHER.commit:
            raise CommandError("The build of 0a1b2c3d failed.", cmd=["docker"], rc=17, stdout="", stderr="no")
        return RESULT

    monkeypatch.setattr(_release, "build", build)
    return made


def ended() -> _processes.Process:
    """Give a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        return _processes.identify(process.pid)


def ahead(app, order=ORDER):
    """Do what the fork server does in a fork."""
    it.build(None, app, dataclasses.asdict(order))
    it.builder = ended()


def test_what_came_of_it_is_taken_once(app, builds):
    ahead(app)
    assert it.take(None, app, ORDER, dry=False) == RESULT
    assert builds == [(ORDER.commit, False)]
    assert not os.path.exists(it.outcome_path(app))
    it.take(None, app, ORDER, dry=False)
    assert len(builds) == 2


def test_it_is_waited_for(app, builds):
    with subprocess.Popen(["sleep", "0.3"]) as process:
        it.build(None, app, dataclasses.asdict(ORDER))
        it.builder = _processes.identify(process.pid)
        it.take(None, app, ORDER, dry=False)
        assert process.poll() is not None or not it.builder.is_alive()
    assert len(builds) == 1


def test_its_error_is_that_of_the_module(app, builds):
    ahead(app, OTHER)
    with pytest.raises(JunoError, match="The build of 0a1b2c3d failed") as caught:
        it.take(None, app, OTHER, dry=False)
    assert caught.value.details == {"cmd": ["docker"], "rc": 17, "stdout": "", "stderr": "no"}
    assert len(builds) == 1


def test_another_order_is_built_anew(app, builds):
    ahead(app, dataclasses.replace(ORDER, probe_path="/other/"))
    assert it.take(None, app, ORDER, dry=False) == RESULT
    assert len(builds) == 2


def test_one_that_was_killed_is_built_anew(app, builds):
    it.builder = ended()
    assert it.take(None, app, ORDER, dry=False) == RESULT
    assert builds == [(ORDER.commit, False)]


@pytest.mark.parametrize("dry", [True, False])
def test_nothing_was_asked_for_ahead(app, builds, dry):
    it.take(None, app, ORDER, dry=dry)
    assert builds == [(ORDER.commit, dry)]
