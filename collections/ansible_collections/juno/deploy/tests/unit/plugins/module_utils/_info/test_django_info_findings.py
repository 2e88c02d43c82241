# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each finding where it is due, and none where all is well."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info_findings as core

CACHE = {
    "alias": "default",
    "family": "memcached",
    "error": "",
    "key_error": "",
    "key_function": "",
    "keys_begin_with": ":1:",
    "version_type": "int",
}
PAGE = {"path": "/", "status": 200, "html": True, "kept_seconds": 0}
WELL = {
    "debug": False,
    "debug_text": "",
    "debug_variables": [],
    "settings_module": "shop.settings",
    "environment": {"read": True, "error": "", "settings_named": False},
    "application": {"module": "shop.wsgi", "settings": "shop.settings"},
    "server": {"kind": "gunicorn", "workers": 3, "autoreload": False, "preload": False},
    "caches": [CACHE],
    "cache_version": {
        "variable": "CACHE_VERSION",
        "honoured": {"default": True},
        "types": {"default": "int"},
        "error": "",
    },
    "sessions": {"store": "database", "alias": None, "used": True},
    "templates": [{"cached": False}],
    "static": {"storage": "s", "manifest": {"path": "/static/staticfiles.json", "exists": True}},
    "middleware_cache": {"updates": True, "fetches": True, "alias": "default", "before_update": []},
    "responses": [PAGE],
    "apps": {"error": "", "where": ""},
    "urls": {"error": "", "where": ""},
}


def findings(**changes):
    info = copy.deepcopy(WELL)
    for name, value in changes.items():
        info[name] = {**info[name], **value} if isinstance(value, dict) else value
    return core.find(info)


def test_nothing_is_found_where_all_is_well():
    assert findings() == []


def cache(**changes):
    return [{**CACHE, **changes}]


@pytest.mark.parametrize(
    ("changes", "identity", "level", "words"),
    [
        ({"debug": True, "debug_text": "False"}, "debug_text", "danger", "it is the text 'False'"),
        ({"debug": True}, "debug", "danger", "set it to False"),
        (
            {"debug": True, "debug_variables": ["DJANGO_DEBUG"]},
            "debug",
            "danger",
            "DJANGO_DEBUG in the environment says off",
        ),
        ({"application": {"settings": "shop.live"}}, "settings_differ", "problem", "names shop.live"),
        ({"environment": {"error": "Permission denied"}}, "environment", "hint", "Permission denied"),
        ({"server": {"kind": "runserver"}}, "runserver", "danger", "development server"),
        ({"server": {"autoreload": True}}, "autoreload", "problem", "without --reload"),
        ({"server": {"preload": True}}, "preload", "hint", "strategy rolling"),
        (
            {"caches": cache(error="no pylibmc", family="other")},
            "cache_broken",
            "problem",
            "'default' can't be used: no py",
        ),
        ({"caches": cache(family="dummy")}, "dummy_cache", "problem", "DummyCache (default) stores nothing"),
        ({"caches": cache(family="locmem")}, "local_cache", "problem", "each of the 3 workers"),
        ({"caches": cache(family="locmem"), "server": {"workers": 1}}, "local_cache", "hint", "only new workers"),
        ({"caches": cache(family="locmem"), "server": {"workers": None}}, "local_cache", "hint", "only new workers"),
        ({"caches": cache(keys_begin_with=None, key_function="shop.k")}, "key_function", "hint", "shop.k of the cache"),
        ({"caches": cache(key_error="KeyError: 'x'")}, "key_function", "problem", "fails: KeyError"),
        ({"caches": cache(version_type="str")}, "version_text", "problem", "VERSION of default is a text"),
        (
            {"cache_version": {"types": {"default": "str"}}},
            "version_text",
            "problem",
            "becomes, with CACHE_VERSION set, a text",
        ),
        (
            {"cache_version": {"honoured": {"default": False}}},
            "no_cache_version",
            "hint",
            'int(os.environ.get("CACHE_VERSION", "1"))',
        ),
        ({"sessions": {"store": "cache", "alias": "default"}}, "sessions_lost", "problem", "'default' alone"),
        ({"sessions": {"store": "cache", "alias": "gone"}}, "sessions_lost", "problem", "which CACHES doesn't have"),
        ({"templates": [{"cached": True}]}, "templates_cached", "hint", "only new workers"),
        (
            {"static": {"manifest": {"path": "/s.json", "exists": False}}},
            "manifest_missing",
            "problem",
            "(/s.json) is missing",
        ),
        ({"static": {"manifest": {"path": None, "exists": False}}}, "manifest_missing", "problem", "(s) is missing"),
        ({"middleware_cache": {"fetches": False}}, "middleware_half", "problem", "without FetchFromCacheMiddleware"),
        ({"middleware_cache": {"updates": False}}, "middleware_half", "problem", "without UpdateCacheMiddleware"),
        ({"middleware_cache": {"before_update": ["a.B"]}}, "middleware_order", "danger", "stands after B"),
        ({"middleware_cache": {"alias": "x"}}, "middleware_alias", "problem", "CACHE_MIDDLEWARE_ALIAS is 'x'"),
        ({"responses": [{**PAGE, "kept_seconds": 600}]}, "html_max_age", "problem", "keep / for 600 s"),
        ({"responses": [{**PAGE, "kept_seconds": 604800}]}, "html_max_age", "problem", "for 604,800 s"),
        ({"responses": [{**PAGE, "status": 400}]}, "host_refused", "problem", "/ answered with status 400"),
        ({"responses": [{**PAGE, "status": 500}]}, "page_fails", "problem", "/ answered with status 500"),
        (
            {"apps": {"error": "no x", "where": "/a.py, line 3"}},
            "apps_broken",
            "problem",
            "loaded (/a.py, line 3): no x",
        ),
        ({"urls": {"error": "no x"}}, "urls_broken", "problem", "The URLconf can't be loaded: no x"),
    ],
)
def test_findings(changes, identity, level, words):
    found = findings(**changes)
    assert [(one.id, one.level) for one in found] == [(identity, level)]
    assert words in found[0].text
    assert found[0].text.endswith(".")


@pytest.mark.parametrize(
    "changes",
    [
        {"application": {"settings": "shop.live"}, "environment": {"settings_named": True}},
        {"application": {"settings": None}},
        {"sessions": {"store": "cache", "alias": "default", "used": False}},
        {"sessions": {"store": "cached_database", "alias": "default"}},
        {"cache_version": {"variable": "", "honoured": {}, "types": {}}},
        {"cache_version": {"honoured": {}, "types": {}, "error": "they can't be loaded again"}},
        {
            "cache_version": {"types": {"default": "str"}, "honoured": {"default": False}},
            "caches": cache(family="locmem"),
            "server": {"kind": "uwsgi", "workers": None},
            "middleware_cache": {"alias": "default"},
        },
        {"static": {"manifest": None}},
        {"middleware_cache": {"updates": False, "fetches": False, "before_update": [], "alias": "x"}},
        {"responses": [{**PAGE, "html": False, "kept_seconds": 31536000}]},
        {"responses": [{**PAGE, "status": 0, "html": False}]},
        {"responses": []},
    ],
)
def test_what_is_no_problem(changes):
    assert [one for one in findings(**changes) if one.id != "local_cache"] == []


@pytest.mark.parametrize(("family", "words"), [("dummy", "stores nothing"), ("locmem", "each worker has for itself")])
def test_sessions_in_a_cache_that_keeps_nothing(family, words):
    found = findings(caches=cache(family=family), sessions={"store": "cache", "alias": "default"})
    assert words in next(one.text for one in found if one.id == "sessions_lost")


def test_pages_that_are_kept_equally_long_are_one_finding():
    pages = [("/a", 600), ("/b", 60), ("/c", 600)]
    found = findings(responses=[{**PAGE, "path": path, "kept_seconds": seconds} for path, seconds in pages])
    assert [one.text.partition(" s,")[0] for one in found] == [
        "Browsers keep /a, /c for 600",
        "Browsers keep /b for 60",
    ]


def test_a_missing_manifest_does_not_matter_with_debug():
    ids = [one.id for one in findings(debug=True, static={"manifest": {"path": "/s", "exists": False}})]
    assert ids == ["debug"]


def test_the_gravest_comes_first():
    levels = [one.level for one in findings(debug=True, templates=[{"cached": True}], caches=cache(family="dummy"))]
    assert levels == ["danger", "problem", "hint"]
