# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services run the app's code beside the site, and why."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine, worker_services
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._app.worker_services import BUILD, CODE, DECLARED, IMAGE
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state.journal_entry import Before

HERE = {"context": "/app", "dockerfile": "Dockerfile"}
CHECKOUT = {"type": "bind", "source": "/app", "target": "/code"}
SOURCES = {"type": "bind", "source": "/app/src", "target": "/usr/src"}
MEDIA = {"type": "bind", "source": "/app/media", "target": "/code/media"}


def app(**more) -> App:
    known = {"worker_services": (), "compose_files": (), "docker_host": "", "state_root": "/state"}
    return App(**{"path": "/app", "project": "jobs", "service": "web", **known, **more})


def config(site: dict, **others: dict) -> dict:
    return {"name": "jobs", "services": {"web": site, **others}}


def container(service: str, state: str, status: str) -> engine.Container:
    return engine.Container("id", f"{service}-1", service, 1, state, "sha256:1", (), (), status=status)


def found(site: dict, one: dict, *containers: engine.Container, **more) -> str:
    """Return why one service beside the site is a worker."""
    return worker_services.find(
        app(**more), config(site, one=one), containers, is_code=lambda path: path == "/app/src"
    ).get("one", "")


@pytest.mark.parametrize(
    ("site", "one", "why"),
    [
        ({"image": "site"}, {"image": "site:latest"}, IMAGE),
        ({"image": "here:5000/site:1"}, {"image": "here:5000/site:2"}, ""),
        ({"build": HERE}, {"image": "jobs-web"}, IMAGE),
        ({"build": HERE, "image": "site:1"}, {"image": "site:1"}, IMAGE),
        ({"build": HERE}, {"build": HERE}, BUILD),
        ({"build": {"context": "."}}, {"build": {"context": "/app/"}}, BUILD),
        ({"build": HERE}, {"build": {**HERE, "target": "worker"}}, BUILD),
        ({"build": HERE}, {"build": {**HERE, "target": "nginx"}, "ports": [{"target": 80}]}, ""),
        ({"build": HERE}, {"build": {**HERE, "dockerfile": "nginx.Dockerfile"}}, ""),
        ({"build": HERE}, {"build": {"context": "/app/nginx"}}, ""),
        ({"build": HERE, "volumes": [CHECKOUT]}, {"image": "python:3", "volumes": [CHECKOUT]}, CODE),
        ({"build": HERE, "volumes": [SOURCES]}, {"image": "python:3", "volumes": [SOURCES]}, CODE),
        # Media and the like are no code, and who serves files of the checkout is no worker.
        ({"build": HERE, "volumes": [CHECKOUT, MEDIA]}, {"image": "nginx", "volumes": [MEDIA]}, ""),
        ({"volumes": [CHECKOUT]}, {"image": "nginx", "volumes": [{**CHECKOUT, "target": "/srv"}]}, ""),
        ({"volumes": [CHECKOUT]}, {"image": "nginx", "volumes": [CHECKOUT], "ports": [{"target": 80}]}, ""),
        ({"build": HERE}, {"image": "redis:7"}, ""),
        ({"build": HERE}, {"build": HERE, "deploy": {"replicas": 0}}, ""),
    ],
)
def test_what_makes_a_worker(site, one, why):
    assert found(site, one) == why


@pytest.mark.parametrize(
    ("one", "states", "why"),
    [
        ({}, [("exited", "Exited (0) 2 minutes ago")], ""),
        ({}, [("exited", "Exited (1) 2 minutes ago")], BUILD),
        ({}, [("running", "Up 2 minutes")], BUILD),
        ({}, [], BUILD),
        ({"restart": "always"}, [("exited", "Exited (0) 2 minutes ago")], BUILD),
        ({"restart": "no"}, [("exited", "Exited (0) 2 minutes ago")], ""),
        ({"deploy": {"restart_policy": {"condition": "none"}}}, [("exited", "Exited (0) 1 second ago")], ""),
    ],
)
def test_what_has_done_its_work_is_none(one, states, why):
    assert found({"build": HERE}, {"build": HERE, **one}, *[container("one", *state) for state in states]) == why


@pytest.mark.parametrize(
    ("condition", "why"),
    [("service_completed_successfully", ""), ("service_started", BUILD), ("service_healthy", BUILD)],
)
def test_what_others_wait_for_to_end_is_none(condition, why):
    assert found({"build": HERE, "depends_on": {"one": {"condition": condition}}}, {"build": HERE}) == why


def test_a_person_has_the_last_word():
    assert found({"build": HERE}, {"build": HERE}, exclude_services=("one",)) == ""
    assert found({"build": HERE}, {"image": "redis"}, worker_services=("one",)) == DECLARED
    assert found({"build": HERE}, {"build": HERE}, worker_services=("one",), exclude_services=("one",)) == DECLARED


@pytest.mark.parametrize(
    ("workers", "words"),
    [
        ({}, ""),
        ({"worker": IMAGE, "beat": IMAGE}, "worker, beat (found: they share the image of web)"),
        ({"worker": BUILD, "cron": DECLARED}, "worker (found: they are built as web is); cron (declared)"),
    ],
)
def test_the_plan_names_them(workers, words):
    assert worker_services.words(workers, "web") == words


@pytest.mark.parametrize(
    ("service", "answers"),
    [
        ({"command": ["celery", "worker"]}, False),
        ({"command": "daphne demo.asgi:application"}, True),
        ({"command": ["celery", "flower"], "ports": [{"target": 5555}]}, True),
        ({}, False),
    ],
)
def test_who_answers_visitors(service, answers):
    assert worker_services.answers_visitors(service) is answers


def test_one_that_was_declared_must_be_there():
    worker_services.require_declared(app(worker_services=("queue",)), config({}, queue={}), "/app")
    with pytest.raises(BadInputError, match=r"has no service 'tasks'; it has: queue, web.*COMPOSE_PROFILES"):
        worker_services.require_declared(app(worker_services=("tasks",)), config({}, queue={}), "/app")


def test_a_release_knows_its_workers_and_those_before_it():
    entry = journal.Entry(workers={"tasks": BUILD}, before=Before("a", {}, workers=["worker"]))
    services = worker_services.of_entry(app(worker_services=("cron",)), entry).services
    assert services == ("web", "cron", "tasks", "worker")
    assert worker_services.of_entry(app(), None).services == ("web",)


def test_a_look_takes_the_workers_that_the_journal_has(tmp_path):
    here = app(state_root=str(tmp_path))
    journal.write(here.journal, [journal.Entry(number=1, workers={"worker": BUILD}), journal.Entry(number=2)])
    assert worker_services.known(lambda *_any, **_more: None, here).services == ("web", "worker")


@pytest.mark.parametrize(
    ("state", "services"),
    [
        ({"outcome": "done"}, ("web", "scheduler")),
        ({"outcome": "failed", "undone": True}, ("web", "beat")),
        ({"outcome": "started"}, ("web", "scheduler", "beat")),
    ],
)
def test_a_look_knows_which_of_two_releases_serves(tmp_path, state, services):
    here = app(state_root=str(tmp_path))
    before = Before("a", {}, workers=["beat"])
    entry = journal.Entry(number=2, workers={"scheduler": BUILD}, before=before, **state)
    journal.write(here.journal, [entry])
    assert worker_services.known(lambda *_any, **_more: None, here).services == services
