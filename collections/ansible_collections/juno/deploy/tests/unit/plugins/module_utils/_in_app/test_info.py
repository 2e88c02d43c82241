# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the in-app code reports what it knows, and what it takes over from the server."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import info as it
from ansible_collections.juno.deploy.plugins.module_utils._in_app.masking import Hider

HIDER = Hider(["hunter22"])


def test_texts_that_may_hold_anything_are_cleaned_and_names_are_not():
    data = {
        "backend": "shop.hunter22.Cache",
        "locations": ["u:x@host", "hunter22"],
        "error": "hunter22",
        "value": [{"url": "https://a:b@cdn/", "number": 5, "nothing": None}],
    }
    assert it.clean(data, HIDER) == {
        "backend": "shop.hunter22.Cache",
        "locations": ["********@host", "********"],
        "error": "********",
        "value": [{"url": "https://********@cdn/", "number": 5, "nothing": None}],
    }


def leaves() -> None:
    sys.exit("hunter22 was refused")


def breaks() -> None:
    raise ModuleNotFoundError("No module named 'pylibmc'")


@pytest.mark.parametrize(
    ("look", "value", "error"),
    [
        (lambda: {"root": "/hunter22"}, {"root": "/********"}, ""),
        (breaks, None, "ModuleNotFoundError: No module named 'pylibmc'"),
        (leaves, None, "SystemExit: ******** was refused"),
    ],
)
def test_a_part_that_fails_is_an_error_text(look, value, error):
    result = it.attempt(look, HIDER)
    assert (result["value"], result["error"]) == (value, error)


def test_an_error_is_where_the_app_raised_it():
    result = it.attempt(breaks, HIDER)
    line = breaks.__code__.co_firstlineno + 1
    assert result["where"] == f"{__file__}, line {line}"


def test_an_error_that_django_raises_for_itself_has_no_place():
    def parse() -> None:
        __import__("django.utils.module_loading", fromlist=["x"]).import_string("no_dots")

    # What called Django is the app's own code, so that is the place.
    assert it.attempt(parse, HIDER)["where"].startswith(__file__)


@pytest.fixture
def environ(monkeypatch):
    """Return an environment and a path that the test may change."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(sys, "path", list(sys.path))
    return os.environ


def test_the_servers_environment_is_taken_over(environ):
    added = {"CACHE_VERSION": "7", "EMPTY": "", "EQUALS": "a=b", "no name": "x", "PYTHONPATH": "/extra:/more"}
    argv = [sys.executable, "-c", "print('ready', flush=True); input()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=added) as server:
        assert server.stdout is not None
        server.stdout.readline()
        result = it.adopt(server.pid)
        server.communicate(b"\n")
    assert result == {"read": True, "error": ""}
    assert (environ["CACHE_VERSION"], environ["EMPTY"], environ["EQUALS"]) == ("7", "", "a=b")
    assert sys.path[1:3] == ["/extra", "/more"]
    assert "no name" not in environ


def test_without_a_server_there_is_nothing_to_take_over(environ):
    before = dict(environ)
    assert it.adopt(0) == {"read": False, "error": ""}
    assert environ == before


def test_an_environment_that_cannot_be_read_is_told(environ):
    assert it.adopt(2**22 + 1) == {"read": False, "error": "No such file or directory"}


def test_a_second_load_of_the_apps_gives_the_first_error(monkeypatch):
    django = it.importlib.import_module("django")
    calls = []

    def setup(*_arguments, **_options):
        calls.append(1)
        raise ModuleNotFoundError("the first")

    monkeypatch.setattr(django, "setup", setup)
    it.remember_setup()
    for _time in range(2):
        with pytest.raises(ModuleNotFoundError, match="the first"):
            django.setup()
    assert len(calls) == 1
