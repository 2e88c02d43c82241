# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our code in an app's own Python: a real one, with a project that each test writes."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app.engine_exec import ExecResult
from ansible_collections.juno.deploy.plugins.module_utils._base import options as base_options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, CommandError, EngineError
from ansible_collections.juno.deploy.plugins.module_utils._cache.django_caches import MODULES
from ansible_collections.juno.deploy.plugins.module_utils._django.runner import (
    Place,
    places,
    pythons,
    run_in_app,
)
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import specs

MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project_settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SETTINGS = """
print("noise without an end of line", end="")
SECRET_KEY = "x"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    pytest.importorskip("django")
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "project_settings.py").write_text(SETTINGS)
    return tmp_path


def params(**more):
    return specs.defaults(base_options.DJANGO) | more


def ask(folder, timeout_seconds=30, **more):
    options = params(chdir=str(folder), **({"python": sys.executable} | more))
    request = {"operation": "list", "aliases": None, "server_seconds": 5}
    return run_in_app(places(options)[0], MODULES, options, timeout_seconds=timeout_seconds, **request)


def test_the_app_tells_its_caches(project):
    answer = ask(project).require("{cause}")
    assert [one["family"] for one in answer.results["listing"]["caches"]] == ["dummy"]
    assert answer.results["listing"]["settings"] == "project_settings"
    assert answer.stdout.strip() == "noise without an end of line"
    assert answer.cmd == [sys.executable, "manage.py", "check"]


def test_the_option_settings_wins(project):
    (project / "other.py").write_text(SETTINGS.replace("dummy.DummyCache", "locmem.LocMemCache"))
    answer = ask(project, settings="other")
    assert [one["family"] for one in answer.results["listing"]["caches"]] == ["locmem"]


def test_without_manage_py_the_environment_names_the_settings(project, monkeypatch):
    (project / "manage.py").unlink()
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "project_settings")
    assert ask(project).rc == 0


def test_neither_manage_py_nor_settings(project):
    (project / "manage.py").unlink()
    with pytest.raises(BadInputError, match=r"There is no .*/manage.py in .*'chdir', or the settings module"):
        ask(project)


def test_a_missing_settings_module_is_named(project):
    with pytest.raises(CommandError, match="ModuleNotFoundError: No module named 'nowhere'") as caught:
        ask(project, settings="nowhere").require("failed: {cause}")
    assert caught.value.details["rc"] == 1
    assert "Traceback" in caught.value.details["stderr"]


def test_no_django(project):
    (project / "django.py").write_text("raise ImportError('No module named django')")
    with pytest.raises(BadInputError, match=r"Django can't be imported by .*: name the app's interpreter"):
        ask(project)


def test_an_app_that_hangs_is_ended(project):
    (project / "project_settings.py").write_text("import threading; threading.Event().wait()")
    with pytest.raises(CommandError, match="it took longer than timeout_seconds and was ended"):
        ask(project, timeout_seconds=1).require("{cause}")


def test_a_manage_py_that_never_calls_django(project):
    (project / "manage.py").write_text("print('nothing to do')")
    assert "ended without a call of Django's command line" in ask(project).stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "Nothing says where the app runs"),
        ({"chdir": "/tmp"}, "Nothing says where the app runs"),
        ({"virtualenv": "/tmp"}, "Nothing says where the app runs"),
        ({"chdir": "/nonexistent", "python": "python3"}, "chdir /nonexistent is no directory"),
        ({"chdir": "/tmp", "virtualenv": "/nonexistent"}, "/nonexistent/bin/python is no program"),
    ],
)
def test_bad_places(more, words):
    with pytest.raises(BadInputError, match=words):
        places(params(**more))


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({}, ("python", "python3")),
        ({"python": "/opt/py"}, ("/opt/py",)),
        ({"virtualenv": "/venv/"}, ("/venv/bin/python",)),
    ],
)
def test_interpreters(more, names):
    assert pythons(params(**more)) == names


def container(*answers):
    left = list(answers)

    def execute(argv, seconds):
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Place("the container web-1", ("python", "python3"), True, execute)


MISSING = ExecResult(127, 'exec: "python": executable file not found in $PATH: unknown\r\n', "")


@pytest.mark.parametrize("first", [MISSING, EngineError("400: executable file not found in $PATH")])
def test_the_next_interpreter_is_tried_when_one_is_missing(first):
    answer = run_in_app(container(first, ExecResult(0, "", "")), MODULES, params(), timeout_seconds=1)
    assert answer.cmd[0] == "python3"


def test_no_interpreter_at_all():
    with pytest.raises(BadInputError, match="There is no python or python3 in the container web-1"):
        run_in_app(container(MISSING, MISSING), MODULES, params(), timeout_seconds=1)


def test_a_missing_directory_in_the_container():
    answer = ExecResult(126, 'chdir to cwd ("/nope") set in config.json failed: no such file or directory', "")
    with pytest.raises(BadInputError, match="chdir is no directory in the container web-1"):
        run_in_app(container(answer), MODULES, params(chdir="/nope"), timeout_seconds=1)


def test_the_source_of_our_code_stays_out_of_errors():
    with pytest.raises(EngineError) as caught:
        run_in_app(container(EngineError("gone", cmd=["python", "-c", "source"])), MODULES, params(), timeout_seconds=1)
    assert caught.value.details["cmd"] == ["python", "manage.py", "check"]
