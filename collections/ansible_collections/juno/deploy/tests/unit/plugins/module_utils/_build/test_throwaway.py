# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a throwaway container, and how its end is read."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway

APP = App("/a", "a", "web", (), ("compose.yaml",), "", "/nosuch")


@pytest.mark.parametrize(
    ("entry_point", "begin", "end"),
    [("", "python", ["-c", "x"]), ("/ours.sh", "/ours.sh", ["python", "-c", "x"])],
)
def test_run_argv(tmp_path, entry_point, begin, end):
    (tmp_path / "compose.yaml").write_text("")
    app = dataclasses.replace(APP, check_entrypoint=entry_point)
    place = throwaway.Sandbox("c" * 40, str(tmp_path))
    head = ["docker", "compose", "--project-directory", "/a", "--project-name", "a"]
    files = ["--file", f"{tmp_path}/compose.yaml", "--file", f"{tmp_path}.override.json"]
    labels = [word for one in ("juno.app=a", "juno.run=0", "traefik.enable=false") for word in ("--label", one)]
    run = ["run", "--rm", "--no-deps", "--no-TTY", "--name", "n", *labels]
    more = ["--env", "PYTHONDONTWRITEBYTECODE=1", "--volume", "/n:/m", "--entrypoint", begin, "web", *end]
    argv = throwaway.run_argv(app, place, "n", "python", "-c", "x", volumes=("/n:/m",))
    assert argv == [*head, *files, *run, *more]


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (("python", "manage.py", "check"), "manage.py"),
        (("python", "src/manage.py", "check"), "src/manage.py"),
        (("pytest",), "manage.py"),
        ((), "manage.py"),
    ],
)
def test_manage_py(command, found):
    assert throwaway.manage_py(command) == found


# Engine 26.1.5 by Compose 2.26.1.
MISSING = 'runc create failed: unable to start container process: exec: "python": executable file not found in $PATH'


@pytest.mark.parametrize(
    ("rc", "stderr", "answer"),
    [
        (1, MISSING, True),
        (127, "/entry.sh: exec: python: not found", True),
        (1, "ImportError: no such file", False),
        (0, "", False),
    ],
)
def test_has_no_python(rc, stderr, answer):
    assert throwaway.has_no("python", CommandResult([], rc, "", stderr)) is answer


@pytest.mark.parametrize(
    ("rc", "failure", "words"),
    [
        (-14, {}, "it took longer than allowed and was ended"),
        (-11, {}, "signal 11 ended it"),
        (95, {"cause": "ValueError: postgres://me:secret@db/x"}, "ValueError: postgres://********@db/x"),
        (1, {}, "it printed nothing"),
    ],
)
def test_reason(rc, failure, words):
    assert throwaway.reason(rc, failure) == words


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        ("app/db.sqlite3", True),
        ("app/inside.sqlite3", True),
        ("app/outside.sqlite3", False),
        ("app/away/db.sqlite3", False),
        ("outside/db.sqlite3", False),
        ("app/../outside/db.sqlite3", False),
    ],
)
def test_a_database_elsewhere_on_the_host_is_none_of_ours(tmp_path, place, kept):
    for one in ("app", "outside"):
        (tmp_path / one).mkdir()
        (tmp_path / one / "db.sqlite3").write_text("")
    (tmp_path / "app/inside.sqlite3").symlink_to("db.sqlite3")
    (tmp_path / "app/outside.sqlite3").symlink_to(tmp_path / "outside/db.sqlite3")
    (tmp_path / "app/away").symlink_to(tmp_path / "outside")
    database = {"alias": "default", "host_path": f"{tmp_path}/{place}", "why": ""}
    answer = {"real": {"databases": [database, {"alias": "x"}]}}
    mounts = [{"target": "/code", "kind": "checkout", "source": f"{tmp_path}/app"}, {"target": "/x", "kind": "volume"}]
    throwaway.forget_elsewhere(answer, mounts)
    assert bool(answer["real"]["databases"][0]["host_path"]) is kept
