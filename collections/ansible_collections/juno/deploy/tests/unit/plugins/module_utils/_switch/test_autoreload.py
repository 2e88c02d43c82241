# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A development server gets no request while it starts anew by itself."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts, gunicorn
from ansible_collections.juno.deploy.plugins.module_utils._app.server_processes import Process
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._proxy import draining, runtime
from ansible_collections.juno.deploy.plugins.module_utils._switch import autoreload
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World

PARENT = ("python", "manage.py", "runserver", "0:8000")


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    made.back_in_git()
    made.behind_proxy()
    made.add("web-1")
    monkeypatch.setattr(compose_mounts, "mounts_code", lambda _service, _path: True)
    monkeypatch.setattr(diff, "changes", lambda *_given: [diff.Change("shop/urls.py", "M", ("100644", "100644"))])
    # The real one waits for the last answers.
    monkeypatch.setattr(draining, "drain", lambda ask, addresses, *_seconds: drain(ask, addresses))
    monkeypatch.setattr(autoreload, "SECONDS", 0.1)
    return made


def drain(ask, addresses):
    runtime.set_state(ask, runtime.at(ask, addresses), "drain")


def serve(monkeypatch, *argvs):
    """Have the server of web-1 be one process after the other, a further one each time that it is looked at."""
    left = [[Process(number, 1, argv)] for number, argv in enumerate(argvs)]
    monkeypatch.setattr(gunicorn, "processes_of", lambda *_given: left.pop(0) if len(left) > 1 else left[0])


def test_it_gets_no_request_until_it_has_started_anew(world, monkeypatch):
    serve(monkeypatch, PARENT, PARENT)
    with autoreload.held(world.work()):
        assert world.gets_requests() == []
    assert world.gets_requests() == ["web-1"]
    assert world.log == ["drain web-1", "ready web-1"]


def test_it_gets_requests_again_where_the_move_fails(world, monkeypatch):
    serve(monkeypatch, PARENT)
    with pytest.raises(OSError, match="disk"), autoreload.held(world.work()):
        raise OSError("disk")
    assert world.gets_requests() == ["web-1"]


def test_it_gets_requests_again_where_it_does_not_start_anew(world, monkeypatch):
    serve(monkeypatch, PARENT)
    with autoreload.held(world.work()):
        pass
    assert world.gets_requests() == ["web-1"]


@pytest.mark.parametrize(
    ("strategy", "argv", "file", "mounted"),
    [
        ("reload", PARENT, "shop/urls.py", True),
        ("rolling", (*PARENT, "--noreload"), "shop/urls.py", True),
        ("rolling", ("python", "/venv/bin/gunicorn", "shop.wsgi"), "shop/urls.py", True),
        # It makes no server start anew.
        ("rolling", PARENT, "templates/home.html", True),
        ("rolling", PARENT, "shop/urls.py", False),
    ],
)
def test_who_goes_on_is_not_held(world, monkeypatch, strategy, argv, file, mounted):
    serve(monkeypatch, argv)
    monkeypatch.setattr(compose_mounts, "mounts_code", lambda _service, _path: mounted)
    monkeypatch.setattr(diff, "changes", lambda *_given: [diff.Change(file, "M", ("100644", "100644"))])
    with autoreload.held(world.work(strategy)):
        assert world.gets_requests() == ["web-1"]
    assert world.log == []
