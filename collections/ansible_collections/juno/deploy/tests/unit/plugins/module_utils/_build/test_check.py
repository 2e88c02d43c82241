# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of the answers of a release's code."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.command import CommandResult
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import CommandError
from ansible_collections.juno.deploy.plugins.module_utils._build import build_spec, check, throwaway

APP = App("/root/JunoJobs", "junojobs", "web", (), (), "", "/var/lib/juno")
SPEC = build_spec.BuildSpec("c" * 40, True, ("python", "manage.py", "check"), 1800, 120)
RIGHT = {"check": {"rc": 0, "stdout": "\nno issues\n", "stderr": ""}, "looked": {"rc": 0}}
ENDED = CommandResult(["docker"], 0, "", "")
UNTOUCHED = "; nothing that serves was touched: correct the commit and deploy again."


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            {"check": {"rc": 1, "stdout": "", "stderr": "Traceback:\nRuntimeError: broken on purpose"}},
            "The code of cccccccccccc can't start: 'python manage.py check' failed (RuntimeError: broken on purpose)",
        ),
        (
            {"check": {"rc": -14, "stdout": "", "stderr": ""}},
            f"The code of cccccccccccc can't start: 'python manage.py check' failed ({throwaway.TOO_LONG})",
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
def test_what_is_wrong_is_said_in_one_sentence(answer, message):
    with pytest.raises(CommandError) as caught:
        check.judge(SPEC, {**RIGHT, **answer}, ENDED)
    assert caught.value.message == message + UNTOUCHED


def test_static_files_that_cannot_be_collected():
    answer = {**RIGHT, "collected": {"rc": 95}, "failure:collect": {"what": "/static", "cause": "OSError: full"}}
    with pytest.raises(
        CommandError, match=r"can't be collected into /static \(OSError: full\); the manifest that serves"
    ):
        check.judge(SPEC, answer, ENDED)


@pytest.mark.parametrize(
    ("answer", "collect", "notes"),
    [
        (RIGHT, True, [True]),
        (RIGHT, False, []),
        # It is known that nothing was collected, or that the root is as it was.
        ({**RIGHT, "looked": {"rc": 1}}, True, [True, False]),
        ({**RIGHT, "collected": {"rc": 95}, "failure:collect": {"what": "/s", "cause": "E"}}, True, [True, False]),
        # In a bucket something was put over what was there.
        ({**RIGHT, "touched": {}, "collected": {"rc": 95}, "failure:collect": {"what": "s"}}, True, [True]),
        # It ended without a word: nobody knows.
        (None, True, [True]),
    ],
)
def test_that_static_files_may_be_collected_is_noted_before(monkeypatch, answer, collect, notes):
    def ask(*_any, **_more):
        assert found == [True] * collect
        if answer is None:
            raise CommandError("killed", cmd=[], rc=137, stdout="", stderr="")
        return throwaway.SandboxResult(answer, ENDED)

    found = []
    monkeypatch.setattr(throwaway, "ask", ask)
    spec = dataclasses.replace(SPEC, collect=collect)
    place = throwaway.Sandbox(SPEC.commit, "/b/c")
    with contextlib.nullcontext() if answer == RIGHT else pytest.raises(CommandError):
        check.check(None, APP, spec, place, [], found.append)
    assert found == notes


@pytest.mark.parametrize(("command", "ran"), [(("sh", "check"), [("sh", "check")]), ((), [])])
def test_an_image_without_python_is_asked_only_what_a_person_wants_checked(monkeypatch, command, ran):
    """Without a command the container would start the app itself."""
    found = []
    monkeypatch.setattr(
        throwaway, "ask", lambda *_a, **_m: throwaway.SandboxResult({}, CommandResult(["docker"], 127, "", "no python"))
    )
    monkeypatch.setattr(throwaway, "run_plain", lambda *given: found.append(given[3]) or ENDED)
    spec = dataclasses.replace(SPEC, check_command=command, collect=True)
    known = check.check(None, APP, spec, throwaway.Sandbox(SPEC.commit, "/b/c"), [], lambda _begun: None)
    assert found == ran
    assert known["static"] == {}
    assert "has no Python" in known["unlooked"][0]


@pytest.mark.parametrize("rc", [93, 94, 96])
def test_an_app_whose_settings_are_not_found_passes_by_its_check_alone(rc):
    known = check.judge(SPEC, {**RIGHT, "looked": {"rc": rc}, "not_looked": {"cause": "no Django"}}, ENDED)
    assert known["checked"] == "no issues"
    assert known["unlooked"] == ["Neither migrations nor a page were looked at: no Django."]


@pytest.mark.parametrize(("path", "sentences"), [("/", 2), ("", 1)])
def test_what_was_not_looked_at_is_told(path, sentences):
    migrations = {"pending": [], "applied": [], "tried": False, "databases": [], "why": "it is away"}
    spec = dataclasses.replace(SPEC, readiness_path=path)
    answer = {
        **RIGHT,
        "migrations": migrations,
        **({"requested": {"path": "/", "status": 0, "why": "x"}} if path else {}),
    }
    assert len(check.judge(spec, answer, ENDED)["unlooked"]) == sentences
