# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan says about the other services, and what it refuses."""

from __future__ import annotations

import dataclasses
import subprocess
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._plan import services_plan
from ansible_collections.juno.deploy.plugins.module_utils._plan.services_plan import APART, BEHIND, NEEDED, Service
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils.fake_engine import World


def container(service: str, state: str = "running", status: str = "") -> engine.Container:
    """Return a container of a service."""
    status = status or {"running": "Up 3 hours", "exited": "Exited (1) 5 minutes ago"}.get(state, state)
    return engine.Container(f"{service}-1", f"{service}-1", service, 1, state, "sha256:1", (), (), status=status)


def service(name: str, role: str, state: str = "running", status: str = "", **more: t.Any) -> Service:
    """Return a service with one container, or none."""
    return Service(name, role, (container(name, state, status),) if state else (), **more)


CHANGED = ("its configuration is not what its container was made with",)


@pytest.mark.parametrize(
    ("one", "lines"),
    [
        (service("db", NEEDED), []),
        (
            service("db", NEEDED, differs=CHANGED),
            [
                (
                    "Notice: db: its configuration is not what its container was made with, and it is not touched "
                    "('update_services: [db]' replaces it; the site waits for it and may answer errors "
                    "meanwhile)"
                )
            ],
        ),
        (
            service("proxy", BEHIND, differs=("the files of its build have changed",), publishes=True, asked=True),
            [
                (
                    "proxy: the files of its build have changed: it is replaced, as 'update_services' asks; "
                    "nobody is answered at its ports meanwhile"
                )
            ],
        ),
        (
            service("redis", APART, asked=True),
            ["redis: its image is pulled, and a newer one replaces it; it is away meanwhile"],
        ),
        (service("redis", APART, asked=True, built=True), []),
        (service("db", NEEDED, "", starts=True), ["db has no container yet: it is started, since web depends on it"]),
        (
            service("proxy", BEHIND, "", starts=True),
            ["proxy has no container yet: it is started, as docker compose up does"],
        ),
        (
            service("adminer", APART, ""),
            ["Notice: adminer has no container, and is left alone (docker compose up --detach adminer starts it)"],
        ),
        (
            service("adminer", APART, "exited"),
            ["Notice: adminer is stopped (Exited (1) 5 minutes ago), and is left alone"],
        ),
        (service("seed", APART, "exited", "Exited (0) 2 days ago", may_end=True), []),
        (service("migrate", NEEDED, "exited", once=True, differs=CHANGED), []),
        (
            service("proxy", BEHIND, "restarting", "Restarting (1) 3 seconds ago"),
            ["Notice: proxy ends again and again (Restarting (1) 3 seconds ago): its log tells why"],
        ),
    ],
)
def test_what_is_said(one, lines):
    assert services_plan.words([one], "web", site_runs=True) == lines


def test_where_the_site_is_down_too_what_it_needs_is_started(tmp_path):
    one, app = service("db", NEEDED, "exited"), World(tmp_path).app
    services_plan.require_needed([one], app, site_runs=False)
    assert services_plan.words([one], "web", site_runs=False) == [
        "db is stopped (Exited (1) 5 minutes ago): it is started, since web depends on it"
    ]


def test_what_the_site_needs_and_somebody_has_stopped_is_refused(tmp_path):
    app = World(tmp_path).app
    with pytest.raises(
        BadInputError, match=r"'db' is stopped \(Exited \(1\) .*\) and 'web' depends on it; .* -p jobs start db"
    ):
        services_plan.require_needed([service("db", NEEDED, "exited")], app, site_runs=True)
    for one in (service("db", NEEDED, "exited", once=True), service("db", APART, "exited"), service("db", NEEDED, "")):
        services_plan.require_needed([one], app, site_runs=True)


def test_a_service_that_is_none_is_refused():
    with pytest.raises(BadInputError, match="names 'nginx', but the project has no such service; it has: db, web"):
        services_plan.require_known(("db", "nginx"), {"services": {"web": {}, "db": {}}})


def test_what_lies_in_an_anonymous_volume_is_not_given_up(tmp_path, monkeypatch):
    world = World(tmp_path).take_the_place_of_the_real(monkeypatch)
    world.add("db-1")
    one = service("db", NEEDED, differs=CHANGED, asked=True)
    world.there["db-1"]["Mounts"] = [{"Name": "data", "Destination": "/data"}, {"Destination": "/etc"}]
    services_plan.require_volumes(world, [one])
    world.there["db-1"]["Mounts"] = [{"Name": "a" * 64, "Destination": "/data"}]
    with pytest.raises(BadInputError, match="'db' has an anonymous volume at /data"):
        services_plan.require_volumes(world, [one])
    services_plan.require_volumes(world, [dataclasses.replace(one, asked=False)])


@pytest.mark.parametrize(
    ("recipe", "all_of_it"),
    [
        ("FROM a\nCOPY . .\n", True),
        ("COPY --chown=a:a . /code", True),
        ('COPY [".", "/code"]', True),
        ("ADD ./ /code", True),
        ("COPY --from=build / /x", False),
        ("COPY nginx.conf /etc/", False),
        ("COPY ./conf /etc/", False),
    ],
)
def test_what_takes_all_of_the_context(recipe, all_of_it):
    assert services_plan.takes_all(recipe) is all_of_it


def test_the_files_of_a_build_tell_whether_it_has_changed(tmp_path):
    def git(*words: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        argv = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def commit(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        git("add", ".")
        git("commit", "-qm", name)
        return git("rev-parse", "HEAD")

    git("init", "-q")
    commit("proxy/Dockerfile", "FROM nginx\nCOPY nginx.conf /etc/\n")
    commit("nginx.Dockerfile", "FROM nginx\nCOPY proxy/nginx.conf /etc/\n")
    first = commit("proxy/nginx.conf", "1")
    other = commit("page.html", "1")
    changed = commit("proxy/nginx.conf", "2")
    own = {"build": {"context": str(tmp_path / "proxy"), "dockerfile": "Dockerfile"}}
    top = {"build": {"context": str(tmp_path), "dockerfile": "nginx.Dockerfile"}}
    for one in (own, top):
        digests = [services_plan.build_digest(run_command, str(tmp_path), at, one) for at in (first, other, changed)]
        assert digests[0] == digests[1] != digests[2]
        assert all(digests)
    elsewhere = {"build": {"context": "/elsewhere", "dockerfile": "Dockerfile"}}
    assert services_plan.build_digest(run_command, str(tmp_path), first, elsewhere) == ""
