# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server's environment and the in-app code say, and where bytecode lies apart."""

from __future__ import annotations

import sys
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import mounts as app_mounts
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import app
from ansible_collections.juno.deploy.plugins.module_utils._bytecode import pycache_prefix as elsewhere
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.pythons import Python

if t.TYPE_CHECKING:
    from pathlib import Path

MOUNTS = (
    app_mounts.Mount("/code", "/srv/app"),
    app_mounts.Mount("/code/media", "/srv/media"),
    app_mounts.Mount("/pyc", "/var/lib/docker/volumes/pyc/_data"),
)


def running(prefix: str = "", mounts: tuple[app_mounts.Mount, ...] = MOUNTS, number: int = 1) -> app.Running:
    container = Container("id", f"app-web-{number}", "web", number, "running", "", (), ())
    return app.Running(container, mounts, "python3", Python("cpython-313", b"\xf3\x0d\r\n"), prefix)


@pytest.mark.parametrize(
    ("argv", "environ", "prefix"),
    [
        (["python3", "gunicorn"], b"A=1\0PYTHONPYCACHEPREFIX=/tmp/p\0B=2\0", "/tmp/p"),
        (["python3", "gunicorn"], b"NOT_PYTHONPYCACHEPREFIX=/tmp/p\0", ""),
        (["python3", "-X", "pycache_prefix=/x", "gunicorn"], b"PYTHONPYCACHEPREFIX=/e\0", "/x"),
        (["python3", "-Xpycache_prefix=/x", "gunicorn"], b"", "/x"),
        (["python3", "pycache_prefix=/x"], b"", ""),
        ([], b"", ""),
    ],
)
def test_the_prefix_is_the_servers(argv: list[str], environ: bytes, prefix: str) -> None:
    assert app.prefix_in(argv, environ) == prefix


@pytest.mark.parametrize(
    ("printed", "found"), [('juno {"a": 1}\n', {"a": 1}), ("hello\njuno [1]\n", [1]), ("hello\n", None), ("", None)]
)
def test_what_in_app_code_prints_is_understood(printed: str, found: object) -> None:
    assert app.parse_results(printed) == found


def test_nothing_is_elsewhere_without_a_prefix() -> None:
    made = elsewhere.plan(["/srv/app"], [running()])
    assert (made.on_host, made.inside, made.notes) == ([], [], [])


def test_a_prefix_in_a_volume_is_walked_from_the_host(tmp_path: Path) -> None:
    (tmp_path / "pyc/code").mkdir(parents=True)
    mounts = (*MOUNTS[:2], app_mounts.Mount("/pyc", f"{tmp_path}/pyc"))
    made = elsewhere.plan(["/srv/app"], [running("/pyc", mounts, number) for number in (1, 2)])
    assert (made.on_host, made.inside) == ([(f"{tmp_path}/pyc/code", "/srv/app")], [])
    assert [(one["container"], one["where"], one["path"]) for one in made.notes] == [
        (f"app-web-{number}", "host", f"{tmp_path}/pyc/code") for number in (1, 2)
    ]


def test_a_prefix_that_the_container_has_made_a_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "volume/code").symlink_to(tmp_path / "other")
    mounts = (*MOUNTS[:2], app_mounts.Mount("/pyc", str(tmp_path / "volume")))
    assert elsewhere.plan(["/srv/app"], [running("/pyc", mounts)]).on_host == []


def test_a_prefix_below_which_nothing_is_yet_is_told_only() -> None:
    made = elsewhere.plan(["/srv/app"], [running("/pyc")])
    assert (made.on_host, made.inside, len(made.notes)) == ([], [], 1)


def test_a_prefix_in_a_container_is_left_to_it() -> None:
    both = [running("/own/pyc", number=number) for number in (1, 2)]
    made = elsewhere.plan(["/srv"], both)
    assert made.on_host == []
    assert made.inside == [(one, ["/code", "/code/media"]) for one in both]
    assert [one["directory"] for one in made.notes] == ["/own/pyc/code", "/own/pyc/code/media"] * 2


def test_a_command_carries_the_in_app_code() -> None:
    argv = app.in_app_argv("python3", sys.modules[__name__], {"a": [1]})
    assert argv[:3] == ["python3", "-B", "-c"]
    assert "def test_a_command_carries_the_in_app_code" in argv[3]
    assert argv[4] == '{"a": [1]}'
