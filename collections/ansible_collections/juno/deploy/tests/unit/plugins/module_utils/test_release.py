# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argv lists of build, check and switch; which image tags go."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _app, _compose, _record, _release, _throwaway, _work
from ansible_collections.juno.deploy.plugins.module_utils._command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._errors import BadInputError, CommandError

PROJECT = _compose.Project("/a", ("compose.yaml",), "a")
HEAD = ["docker", "compose", "--project-directory", "/a", "--project-name", "a", "--file", "/a/compose.yaml"]


@pytest.mark.parametrize(
    ("tags", "gone"),
    [
        ([], []),
        (["a-web:latest", "a-web:juno-" + "b" * 12], []),
        (
            ["a-web:juno-" + "c" * 12, "h:5000/a:juno-" + "d" * 12],
            ["a-web:juno-" + "c" * 12, "h:5000/a:juno-" + "d" * 12],
        ),
        (["a-web:v1"], []),
    ],
)
def test_stale_tags(tags, gone):
    assert _record.stale_tags(tags, ["b" * 40]) == gone


def test_seconds_are_numbers():
    figures = {"outage_seconds": "1.86", "build_seconds": 0, "task": "Switch to the release"}
    assert _record.as_numbers(figures) == {"outage_seconds": 1.86, "build_seconds": 0, "task": "Switch to the release"}


@pytest.mark.parametrize("url", ["", "127.0.0.1:8001", "https://site", "http://"])
def test_a_probe_wants_an_address(url):
    with pytest.raises(BadInputError, match="like http"):
        _work.make_probe(url, "/", {})


# Printed by Compose 2.26.1 with BUILDKIT_PROGRESS=plain.
BUILD_OUTPUT = """#9 [web 5/6] RUN pip install -r requirements.txt
#9 0.627   Downloading whitenoise-6.12.0-py3-none-any.whl (20 kB)
#9 0.719 ERROR: Could not find a version that satisfies the requirement nosuch==9 (from versions: none)
#9 0.720 ERROR: No matching distribution found for nosuch==9
#9 ERROR: process "/bin/sh -c pip install -r requirements.txt" did not complete successfully: exit code: 1
"""


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        (BUILD_OUTPUT, "ERROR: No matching distribution found for nosuch==9"),
        ("#9 0.1 fine\nfailed to solve: no such image\n", ""),
        ("", ""),
    ],
)
def test_build_cause(output, cause):
    assert _release.build_cause(output) == cause


def params(**more: object) -> dict[str, object]:
    given = {name: spec.get("default") for name, spec in _app.ARGUMENT_SPEC.items()}
    return {**given, "path": "/root/JunoJobs/", "project": "junojobs", **more}


def test_the_site_comes_first_among_the_services():
    app = _app.from_params(params(worker_services=["queue", "web"]))
    assert app.services == ("web", "queue")
    assert app.path == "/root/JunoJobs"
    assert app.journal == "/var/lib/juno/junojobs/journal.json"


@pytest.mark.parametrize("wrong", [{"path": "JunoJobs"}, {"path": "/"}, {"project": "JunoJobs"}, {"project": ""}])
def test_bad_names_are_refused(wrong):
    with pytest.raises(BadInputError):
        _app.from_params(params(**wrong))


ORDER = _release.BuildOrder("c" * 40, True, ("python", "manage.py", "check"), 1800, 120)
RIGHT = {"check": {"rc": 0, "stdout": "\nno issues\n", "stderr": ""}, "looked": {"rc": 0}}
ENDED = CommandResult(["docker"], 0, "", "")
UNTOUCHED = "; nothing that serves was touched: correct the commit and deploy again."


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (
            {"check": {"rc": 1, "stdout": "", "stderr": "Traceback:\nRuntimeError: broken on purpose"}},
            "The code of cccccccccccc can't start: 'python manage.py check' failed (RuntimeError: broken on purpose)",
        ),
        (
            {"check": {"rc": -14, "stdout": "", "stderr": ""}},
            f"The code of cccccccccccc can't start: 'python manage.py check' failed ({_throwaway.TOO_LONG})",
        ),
        (
            {"looked": {"rc": 1}, "failure:start": {"what": "", "cause": "KeyError: 'X'"}},
            "The code of cccccccccccc can't start (KeyError: 'X')",
        ),
        ({"looked": {"rc": -11}}, "The code of cccccccccccc can't start (signal 11 ended it)"),
        (
            {"looked": {"rc": 95}, "failure:migration": {"what": "jobs.3", "cause": "E: x"}},
            "The migration jobs.3 of cccccccccccc fails on a copy of the database (E: x)",
        ),
        (
            {"looked": {"rc": 95}, "failure:migration": {"what": "", "cause": "E: x"}},
            "The migration of cccccccccccc fails on a copy of the database (E: x)",
        ),
        (
            {"looked": {"rc": 95}, "failure:request": {"what": "GET / with 500", "cause": "E: {x}"}},
            "The code of cccccccccccc answers GET / with 500 (E: {x})",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(told, message):
    with pytest.raises(CommandError) as caught:
        _release.judge(ORDER, {**RIGHT, **told}, ENDED)
    assert caught.value.message == message + UNTOUCHED


def test_static_files_that_cannot_be_collected():
    told = {**RIGHT, "collected": {"rc": 95}, "failure:collect": {"what": "/static", "cause": "OSError: full"}}
    with pytest.raises(
        CommandError, match=r"can't be collected into /static \(OSError: full\); the manifest that serves"
    ):
        _release.judge(ORDER, told, ENDED)


@pytest.mark.parametrize(
    ("told", "collect", "notes"),
    [
        (RIGHT, True, [True]),
        (RIGHT, False, []),
        # It is known that nothing was collected, or that the root is as it was.
        ({**RIGHT, "looked": {"rc": 1}}, True, [True, False]),
        ({**RIGHT, "collected": {"rc": 95}, "failure:collect": {"what": "/s", "cause": "E"}}, True, [True, False]),
        # It ended without a word: nobody knows.
        (None, True, [True]),
    ],
)
def test_that_static_files_may_be_collected_is_noted_before(monkeypatch, told, collect, notes):
    def ask(*_any, **_more):
        assert found == [True] * collect
        if told is None:
            raise CommandError("killed", cmd=[], rc=137, stdout="", stderr="")
        return _throwaway.Told(told, ENDED)

    found = []
    monkeypatch.setattr(_throwaway, "ask", ask)
    order = dataclasses.replace(ORDER, collect=collect)
    app = _app.from_params(params(path="/root/JunoJobs", project="junojobs"))
    place = _throwaway.Place(ORDER.commit, "/b/c")
    with contextlib.nullcontext() if told == RIGHT else pytest.raises(CommandError):
        _release.check(None, app, order, place, [], found.append)
    assert found == notes


@pytest.mark.parametrize(("command", "ran"), [(("sh", "check"), [("sh", "check")]), ((), [])])
def test_an_image_without_python_is_asked_only_what_a_person_wants_checked(monkeypatch, command, ran):
    """Without a command the container would start the app itself."""
    found = []
    monkeypatch.setattr(
        _throwaway, "ask", lambda *_a, **_m: _throwaway.Told({}, CommandResult(["docker"], 127, "", "no python"))
    )
    monkeypatch.setattr(_throwaway, "run_plain", lambda *given: found.append(given[3]) or ENDED)
    order = dataclasses.replace(ORDER, check_command=command, collect=True)
    app = _app.from_params(params(path="/root/JunoJobs", project="junojobs"))
    known = _release.check(None, app, order, _throwaway.Place(ORDER.commit, "/b/c"), [], lambda _begun: None)
    assert found == ran
    assert known["static"] == {}
    assert "has no Python" in known["unlooked"][0]


@pytest.mark.parametrize("rc", [93, 94, 96])
def test_an_app_whose_settings_are_not_found_passes_by_its_check_alone(rc):
    known = _release.judge(ORDER, {**RIGHT, "looked": {"rc": rc}, "not_looked": {"cause": "no Django"}}, ENDED)
    assert known["checked"] == "no issues"
    assert known["unlooked"] == ["Neither migrations nor a page were looked at: no Django."]


@pytest.mark.parametrize(("path", "sentences"), [("/", 2), ("", 1)])
def test_what_was_not_looked_at_is_told(path, sentences):
    migrations = {"pending": [], "applied": [], "tried": False, "databases": [], "why": "it is away"}
    order = dataclasses.replace(ORDER, probe_path=path)
    told = {
        **RIGHT,
        "migrations": migrations,
        **({"requested": {"path": "/", "status": 0, "why": "x"}} if path else {}),
    }
    assert len(_release.judge(order, told, ENDED)["unlooked"]) == sentences


STATIC = {"added": 0, "removed": 0, "manifest_hash_before": "a", "manifest_hash_after": "a", "why": ""}


@pytest.mark.parametrize(
    ("static", "collected"),
    [
        ({}, False),
        ({"why": "in the image"}, False),
        (STATIC, False),
        ({**STATIC, "added": 1}, True),
        ({**STATIC, "manifest_hash_after": "b"}, True),
    ],
)
def test_is_collected(static, collected):
    assert _release.is_collected(static) is collected
