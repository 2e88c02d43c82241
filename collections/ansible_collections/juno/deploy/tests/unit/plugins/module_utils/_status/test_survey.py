# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look at what serves, where things are missing."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import threading

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import compose, engine
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, EngineError
from ansible_collections.juno.deploy.plugins.module_utils._state import journal, lock, rpc
from ansible_collections.juno.deploy.plugins.module_utils._status import site_address, status, survey

ENTRIES = [journal.Entry(number=number, commit=str(number) * 40, outcome="done") for number in range(1, 5)]


@pytest.fixture
def app(tmp_path):
    """Return an app whose Engine does not answer and whose checkout is none."""
    params = {
        "path": str(tmp_path / "app"),
        "project": "app",
        "service": "web",
        "worker_services": [],
        "exclude_services": [],
        "compose_files": [],
        "docker_host": f"unix://{tmp_path}/none.sock",
        "state_root": str(tmp_path),
    }
    made = app_app.from_params(params)
    journal.write(made.journal, ENTRIES)
    return made


def test_the_history_is_there_when_nothing_else_is(app):
    found = survey.survey(run_command, app, survey.Question(3, 0))
    assert [one["number"] for one in found["releases"]] == [4, 3, 2]
    assert len(found["findings"]) == 2
    assert "Docker" in found["findings"][0]
    assert "not a git checkout" in found["findings"][1]
    assert (found["agrees"], found["containers"], found["checkout"], found["logs"]) == (False, [], {}, [])


HOLDER = lock.Holder("0123456789abcdef", "restart", "me@laptop", "203.0.113.5", "2026-02-01T10:00:00Z")


@contextlib.contextmanager
def at_work(app, holder):
    """Hold the app's lock as a deployer does."""
    handle = lock.take(app.state_directory)
    if holder:
        lock.write(handle, app.state_directory, holder)
    try:
        yield
    finally:
        lock.give_back(handle)


def answer_once(listener, asked):
    link, _address = listener.accept()
    with link, link.makefile("rb") as reader:
        asked.append(json.loads(reader.read()))
        standing = {"step": "build", "seconds": 3, "usual": 70.0, "event": "[web 4/9] RUN make", "cancel_reason": ""}
        link.sendall(json.dumps(standing).encode())


def test_who_is_at_work_tells_what_it_does(app):
    asked = []
    with at_work(app, HOLDER), rpc.listen(app.state_directory, HOLDER.id) as listener:
        answering = threading.Thread(target=answer_once, args=(listener, asked))
        answering.start()
        found = survey.survey(run_command, app, survey.Question(3, 0))
        answering.join()
    assert asked == [{"do": "stand"}]
    assert found["deployer"] == {**dataclasses.asdict(HOLDER), "standing": found["deployer"]["standing"]}
    assert found["summary"][0] == (
        "At work: a restart by me@laptop (from 203.0.113.5) since 2026-02-01T10:00:00Z, now at the step 'build', "
        "3 s of ~70 s ([web 4/9] RUN make)"
    )
    assert found["agrees"] is False


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        pytest.param(HOLDER, "whose deployer was killed: the next deploy ends what it left running", id="killed"),
        pytest.param(None, "a deploy of an earlier version of juno.deploy, or something else", id="another version"),
    ],
)
def test_who_holds_the_lock_and_does_not_answer_is_told(app, holder, words):
    with at_work(app, holder):
        found = survey.survey(run_command, app, survey.Question(3, 0))
    assert words in found["summary"][0]
    assert (found["deployer"]["standing"], found["agrees"]) == ({}, False)


def test_what_a_deployer_left_behind_is_nobody_at_work(app):
    with at_work(app, HOLDER):
        pass
    rpc.listen(app.state_directory, HOLDER.id).close()
    pathlib.Path(app.state_directory, "lock").write_bytes(json.dumps(dataclasses.asdict(HOLDER)).encode())
    found = survey.survey(run_command, app, survey.Question(3, 0))
    assert (found["deployer"], found["summary"][0]) == ({}, "Not as it should be:")


def test_a_lock_that_may_not_be_read_is_a_finding(app, monkeypatch):
    real = os.open

    def refuse(path, *args, **more):
        if str(path) == lock.path_of(app.state_directory):
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **more)

    monkeypatch.setattr(lock.os, "open", refuse)
    found = survey.survey(run_command, app, survey.Question(3, 0))
    assert found["deployer"] == {}
    assert any("The lock" in one and "Permission denied" in one for one in found["findings"])


@pytest.mark.parametrize(
    ("override", "map_text", "proxy"),
    [
        ("", "", status.ProxyFiles()),
        ("services: {juno-edge: {}}\n", "site off\n", status.ProxyFiles()),
        (f"{compose.MARK}\nservices:\n  web: {{}}\n", "site off\n", status.ProxyFiles()),
        (f"{compose.MARK}\nservices:\n  juno-edge: {{}}\n", "site on\n", status.ProxyFiles(True, True)),
    ],
)
def test_the_proxy_is_known_from_its_files(app, override, map_text, proxy):
    for path, text in ((app.override, override), (f"{app.proxy_directory}/maintenance.map", map_text)):
        if text:
            pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
            pathlib.Path(path).write_text(text)
    assert survey.look_at_proxy(app) == proxy


def test_logs_that_are_wanted_need_the_engine(app):
    with pytest.raises(EngineError):
        survey.survey(run_command, app, survey.Question(3, 1))


@pytest.mark.parametrize(
    "question",
    [survey.Question(0, 0), survey.Question(1, -1), survey.Question(1, 1, -1), survey.Question(1, 1, 3601)],
)
def test_senseless_numbers_are_refused(app, question):
    with pytest.raises(BadInputError, match=r"correct '(history_length|log_lines|log_follow_seconds)'"):
        survey.survey(run_command, app, question)


def published(service, address, state="running"):
    ports = (engine.Published(8000, address),) if address else ()
    return engine.Container(service, service, service, 1, state, "sha256:1", (), (), ports)


@pytest.mark.parametrize(
    ("containers", "url"),
    [
        ([published("web", "0.0.0.0:8001")], "http://127.0.0.1:8001"),
        ([published("web", "[::]:8001")], "http://[::1]:8001"),
        ([published("web", "203.0.113.5:80")], "http://203.0.113.5:80"),
        ([published("web", ""), published("juno-edge", "0.0.0.0:80")], "http://127.0.0.1:80"),
        ([published("juno-edge", "0.0.0.0:80", "exited"), published("web", "127.0.0.1:8001")], "http://127.0.0.1:8001"),
        ([published("other", "0.0.0.0:80"), published("web", "")], ""),
        ([], ""),
    ],
)
def test_where_the_site_answers(containers, url):
    assert site_address.published(containers, "web") == url
