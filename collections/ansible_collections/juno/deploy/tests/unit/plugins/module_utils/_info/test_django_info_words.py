# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that a person reads."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info_words as core
from ansible_collections.juno.deploy.plugins.module_utils._info.django_info_caches import Finding

CACHE = {
    "alias": "default",
    "backend": "django.core.cache.backends.memcached.PyMemcacheCache",
    "locations": ["m:11211"],
    "error": "",
    "keys_begin_with": "shop:1:",
    "version_type": "int",
    "timeout": 300,
}
SERVER = {
    "kind": "gunicorn",
    "workers": 3,
    "worker_class": "sync",
    "threads": 1,
    "preload": False,
    "listens": ["0.0.0.0:8000"],
    "reload": True,
    "reload_reason": "",
    "error": "",
}
PAGE = {
    "path": "/",
    "status": 200,
    "error": "",
    "cache_control": "max-age=600",
    "kept_seconds": 600,
    "vary": ["Cookie"],
    "etag": True,
    "sets_cookie": True,
}
INFO = {
    "django": "5.2.19",
    "python": "3.13.5",
    "debug": True,
    "debug_text": "False",
    "settings_module": "shop.settings",
    "server": SERVER,
    "caches": [CACHE, {**CACHE, "alias": "b", "keys_begin_with": None, "version_type": "str", "timeout": None}],
    "sessions": {"store": "cache", "alias": "default", "used": True, "engine": "e"},
    "templates": [
        {"backend": "a.Django", "cached": True, "error": ""},
        {"backend": "a.Jinja", "cached": False, "error": ""},
    ],
    "static": {"storage": "a.S", "root": "/s", "manifest": {"exists": True, "hash": "abc", "entries": 1804}},
    "middleware_cache": {"updates": True, "fetches": True, "seconds": 600, "alias": "default", "key_prefix": "p"},
    "cache_version": {"variable": "CACHE_VERSION", "error": "", "honoured": {"default": True, "b": False}},
    "responses": [PAGE, {**PAGE, "path": "/jobs/", "error": "connection refused"}],
    "errors": [{"part": "apps", "error": "no extra"}],
}


def test_a_line_for_each_subject():
    lines = core.lines(INFO, [Finding("debug_text", "danger", "DEBUG is on."), Finding("x", "hint", "More.")])
    assert lines == [
        "Django        5.2.19 on Python 3.13.5, DEBUG on (the text 'False'), settings shop.settings",
        "Server        gunicorn, 3 sync workers, at 0.0.0.0:8000, can be reloaded",
        "Caches        default  PyMemcacheCache  m:11211  keys begin with shop:1:                     300 s",
        "              b        PyMemcacheCache  m:11211  keys without a prefix, VERSION is a str  for ever",
        "Sessions      in the cache 'default' alone, which a flush loses",
        "Templates     Django: kept in memory until new workers come",
        "              Jinja: read again each time",
        "Static files  S, /s, manifest abc with 1,804 files",
        "Page cache    middleware keeps pages for 600 s in the cache 'default', prefix 'p'",
        "New release   has keys of its own in default by CACHE_VERSION, not in b",
        "Pages         /       200  max-age=600; browsers keep it 600 s; Vary: Cookie; ETag; sets a cookie",
        "              /jobs/  -    connection refused",
        "Not known     apps: no extra",
        "Findings      danger: DEBUG is on.",
        "              hint: More.",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "", "error": "none of the servers"}, "none of the servers"),
        ({"workers": 1, "worker_class": None}, "gunicorn, 1 worker, at"),
        ({"threads": 4, "worker_class": "gthread"}, "3 gthread workers, 4 threads each"),
        (
            {"preload": True, "reload": False, "reload_reason": "it preloads"},
            "preloads the app, at 0.0.0.0:8000, no reload: it",
        ),
        ({"listens": [], "threads": None}, "gunicorn, 3 sync workers, can be reloaded"),
    ],
)
def test_servers(changes, words):
    assert words in core.server({**SERVER, **changes})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"variable": "", "error": "", "honoured": {}}, "not asked for"),
        ({"variable": "V", "error": "x", "honoured": {}}, "whether V counts is not known"),
        ({"variable": "V", "error": "", "honoured": {"a": False}}, "none takes its VERSION from V"),
        ({"variable": "V", "error": "", "honoured": {"a": True, "b": True}}, "has keys of its own in a, b by V"),
    ],
)
def test_new_releases(facts, words):
    assert words in core.cache_version(facts)


@pytest.mark.parametrize(("seconds", "words"), [(None, "for ever"), (0, "0 s"), (1, "1 s"), (604800, "604,800 s")])
def test_how_long_entries_are_kept(seconds, words):
    assert core.kept(seconds) == words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"storage": "", "root": None, "manifest": None}, "no storage, no root, no manifest"),
        ({"storage": "a.S", "root": "/s", "manifest": {"exists": False}}, "S, /s, its manifest is missing"),
    ],
)
def test_static_files(facts, words):
    assert core.static(facts) == words


def test_what_is_not_known_or_not_there():
    nothing = {
        **INFO,
        "caches": [{**CACHE, "error": "no pylibmc"}],
        "sessions": {"store": "", "used": False},
        "templates": [],
        "middleware_cache": {"updates": False, "fetches": False},
        "responses": [],
        "errors": [],
    }
    lines = core.lines(nothing, [])
    assert "Caches        default  PyMemcacheCache  m:11211  can't be used" in lines
    assert [line for line in lines if line.startswith(("Sessions", "Templates", "Page", "Not", "Find"))] == [
        "Sessions      not known",
        "Templates     none are configured",
        "Page cache    no middleware caches whole pages",
        "Pages         none was asked for",
        "Findings      none",
    ]
    unused = core.sessions({"store": "database", "alias": None, "used": False, "engine": "e"})
    assert unused == "in the database; SessionMiddleware is not in use"
