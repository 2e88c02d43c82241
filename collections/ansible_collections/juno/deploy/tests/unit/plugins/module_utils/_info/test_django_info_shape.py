# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever was told or not, the result has all its keys."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info_shape as core

ABOUT = {
    "django": "5.2",
    "python": "3.13.5",
    "interpreter": "/bin/python",
    "settings_module": "shop.settings",
    "debug": False,
    "debug_text": "",
    "debug_variables": [],
    "environment": {"read": True, "error": "", "settings_named": True},
    "host": "shop.example.org",
    "wants_https": False,
}
CACHE = {
    "alias": "default",
    "backend": "b",
    "family": "memcached",
    "locations": ["m:11211"],
    "options": [],
    "error": None,
    "key_prefix": "",
    "keys_begin_with": ":1:",
    "key_example": ":1:x",
    "key_function": "",
    "key_error": "",
    "version": "1",
    "version_type": "int",
    "timeout": 300,
}
BROKEN = {"alias": "old", "backend": "b", "family": "other", "locations": [], "options": [], "error": "no pylibmc"}
ANSWER = {
    "about": ABOUT,
    "caches": {"value": [CACHE, BROKEN], "error": ""},
    "sessions": {"value": {"engine": "e", "alias": "default", "store": "cache", "used": True}, "error": ""},
    "templates": {"value": [{"backend": "t", "loaders": [], "cached": False, "error": "no jinja2"}], "error": ""},
    "static": {
        "value": {
            "storage": "s",
            "root": None,
            "url": "",
            "installed": True,
            "manifest": None,
            "error": "no whitenoise",
        },
        "error": "",
    },
    "middleware": {
        "value": {**core.EMPTY["middleware"], "errors": [{"middleware": "x.Y", "error": "no x"}]},
        "error": "",
    },
    "application": {"value": {"module": "shop.wsgi", "settings": None}, "error": ""},
    "apps": {"value": None, "error": "no extra", "where": "/code/shop/__init__.py, line 3"},
    "urls": {"value": {"patterns": 5}, "error": ""},
    "cache_version": {
        "honoured": {"default": True},
        "types": {"default": "int"},
        "error": "",
        "variable": "CACHE_VERSION",
    },
}


def shape(answer, importing=True, variable="CACHE_VERSION"):
    return core.shape(answer, importing=importing, variable=variable, ended="it was not known within 20 s")


def test_all_is_known():
    info = shape(ANSWER)
    assert [one["alias"] for one in info["caches"]] == ["default", "old"]
    assert info["caches"][0]["error"] == ""
    assert info["caches"][1] == {**dict.fromkeys(core.KEYS), **BROKEN}
    assert info["sessions"]["lost_by_flush"] is True
    assert info["static"]["error"] == "no whitenoise"
    assert info["apps"] == {"installed": None, "error": "no extra", "where": "/code/shop/__init__.py, line 3"}
    assert info["urls"] == {"patterns": 5, "error": "", "where": ""}
    assert info["cache_version"]["honoured"] == {"default": True}
    assert "host" not in info


def test_all_errors_are_in_one_place():
    assert [(one["part"], one["error"]) for one in shape(ANSWER)["errors"]] == [
        ("static", "no whitenoise"),
        ("apps", "no extra"),
        ("caches: old", "no pylibmc"),
        ("templates: t", "no jinja2"),
        ("middleware: x.Y", "no x"),
    ]


def test_a_process_that_ended_early():
    info = shape({"about": ABOUT, "sessions": ANSWER["sessions"]})
    assert info["sessions"]["store"] == "cache"
    assert (info["caches"], info["templates"], info["urls"]["patterns"]) == ([], [], None)
    parts = ["caches", "templates", "static", "middleware", "application", "apps", "urls", "cache_version"]
    assert [one["part"] for one in info["errors"]] == parts
    assert {one["error"] for one in info["errors"]} == {"it was not known within 20 s"}
    assert info.keys() == shape(ANSWER).keys()
    for name in ("sessions", "static", "middleware_cache", "application", "apps", "urls"):
        assert info[name].keys() == shape(ANSWER)[name].keys()


@pytest.mark.parametrize("name", ["apps", "urls"])
def test_what_was_not_asked_for_is_no_error(name):
    answer = {key: value for key, value in ANSWER.items() if key not in ("apps", "urls")}
    assert shape(answer, importing=False)[name]["error"] == ""
    assert shape(answer)[name]["error"] != ""


def test_no_variable_is_no_error():
    answer = {key: value for key, value in ANSWER.items() if key != "cache_version"}
    assert shape(answer, variable="")["cache_version"] == {"honoured": {}, "types": {}, "error": "", "variable": ""}


@pytest.mark.parametrize(
    ("store", "lost"), [("cache", 1), ("cached_database", 0), ("database", 0), ("other", 0), ("", 0)]
)
def test_what_a_flush_loses(store, lost):
    answer = {
        **ANSWER,
        "sessions": {"value": {"engine": "e", "alias": None, "store": store, "used": True}, "error": ""},
    }
    assert shape(answer)["sessions"]["lost_by_flush"] == bool(lost)
