# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the caches' version comes from the environment: asked of settings that are really loaded."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import cache_version as it

LOCAL = "'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'"
SETTINGS = f"""
import os, sys, time
print("settings that talk")
SECRET_KEY = "x"
CACHES = {{
    "default": {{{LOCAL}, "VERSION": int(os.environ.get("CACHE_VERSION", "1"))}},
    "text": {{{LOCAL}, "VERSION": os.environ.get("CACHE_VERSION", 1)}},
    "fixed": {{{LOCAL}, "VERSION": 7}},
    "none": {{{LOCAL}}},
    "clock": {{{LOCAL}, "VERSION": int(time.time())}},
}}
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Write settings, and have them found."""

    def write(text: str) -> None:
        name = f"settings_{tmp_path.name}"
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", name)

    return write


def test_what_takes_the_value_and_what_type_it_has_then(settings):
    settings(SETTINGS)
    result = it.SecondEvaluation("CACHE_VERSION", 20).collect()
    honoured = {"default": True, "text": True, "fixed": False, "none": False, "clock": False}
    assert (result["honoured"], result["error"], result["variable"]) == (honoured, "", "CACHE_VERSION")
    assert result["types"] == {"default": "int", "text": "str", "fixed": "int", "none": "int", "clock": "int"}
    assert it.honoured("CACHE_VERSION", 20) == honoured
    assert not any(it.honoured("ANOTHER_NAME", 20).values())


def test_what_is_set_now_does_not_count(settings, monkeypatch):
    monkeypatch.setenv("CACHE_VERSION", "7")
    settings(SETTINGS)
    assert it.honoured("CACHE_VERSION", 20)["fixed"] is False


@pytest.mark.parametrize(
    ("text", "seconds", "error"),
    [
        ("raise ValueError('no database is named')", 20, "ValueError: no database is named"),
        ("import time; time.sleep(60)", 1, "the settings were not loaded within 1 s"),
        ("import os; os._exit(3)", 20, "the process ended with 3 and printed nothing"),
    ],
)
def test_settings_that_cannot_be_loaded_again(settings, text, seconds, error):
    settings(text)
    result = it.SecondEvaluation("CACHE_VERSION", seconds).collect()
    assert (result["error"], result["honoured"]) == (error, {})
    with pytest.raises(RuntimeError, match=error.split(":")[0]):
        it.honoured("CACHE_VERSION", seconds)


def test_nothing_but_the_settings_is_loaded(settings):
    settings("INSTALLED_APPS = ['no_such_app']\nROOT_URLCONF = 'no_such_urls'\n" + SETTINGS)
    assert it.honoured("CACHE_VERSION", 20)["default"] is True


@pytest.mark.parametrize("now", ["", "1", "text"])
def test_the_value_is_a_number_of_the_size_that_a_deploy_gives(now):
    assert it.another(now) > 1_600_000_000


def test_the_value_is_never_the_one_that_is_set(monkeypatch):
    monkeypatch.setattr(it.random, "randrange", lambda *_range: 5)
    monkeypatch.setattr(it.time, "time", lambda: 1000)
    assert (it.another("1005"), it.another(" 1005 "), it.another("1004")) == (1006, 1006, 1005)


def test_judge():
    result = it.judge({"a": ["10", "int"], "b": ["10", "str"], "c": ["1", "int"], "d": ["100", "int"]}, "10")
    assert result["honoured"] == {"a": True, "b": True, "c": False, "d": False}
