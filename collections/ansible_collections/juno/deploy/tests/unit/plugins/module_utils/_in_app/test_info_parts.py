# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the in-app code makes of settings that need no app; real apps are in the integration target django_info."""

from __future__ import annotations

import types

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import info_parts as it

CACHED = "django.template.loaders.cached.Loader"
FILES = "django.template.loaders.filesystem.Loader"
APPS = "django.template.loaders.app_directories.Loader"
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"


@pytest.mark.parametrize(
    ("names", "role"),
    [
        (["django.middleware.cache.UpdateCacheMiddleware"], ("updates",)),
        (["shop.Mine", "django.middleware.cache.FetchFromCacheMiddleware"], ("fetches",)),
        (
            ["django.middleware.cache.CacheMiddleware", "django.middleware.cache.UpdateCacheMiddleware"],
            ("updates", "fetches"),
        ),
        (["django.middleware.common.CommonMiddleware"], ()),
        ([], ()),
    ],
)
def test_roles(names, role):
    assert it.role_of(names) == role


def middleware(*names, importing=False):
    about = {"CACHE_MIDDLEWARE_SECONDS": 600, "CACHE_MIDDLEWARE_ALIAS": "default", "CACHE_MIDDLEWARE_KEY_PREFIX": "p"}
    return it.middleware(types.SimpleNamespace(MIDDLEWARE=list(names), **about), importing)


@pytest.mark.parametrize(
    ("names", "update", "fetch", "before"),
    [
        ([], False, False, []),
        ([SESSIONS], False, False, []),
        ([it.UPDATE, SESSIONS, it.FETCH], True, True, []),
        ([SESSIONS, it.UPDATE, it.FETCH], True, True, [SESSIONS]),
        (["django.middleware.gzip.GZipMiddleware", it.UPDATE], True, False, []),
        ([it.FETCH], False, True, []),
        ([SESSIONS, it.BOTH], True, True, [SESSIONS]),
    ],
)
def test_the_page_cache(names, update, fetch, before):
    result = middleware(*names)
    assert (result["updates"], result["fetches"], result["before_update"]) == (update, fetch, before)
    assert (result["seconds"], result["alias"], result["key_prefix"]) == (600, "default", "p")


def test_middleware_of_the_apps_own(tmp_path, monkeypatch):
    (tmp_path / "own_middleware.py").write_text(
        "from django.middleware.cache import UpdateCacheMiddleware\nclass Stores(UpdateCacheMiddleware): pass\n"
        "def plain(get_response): return get_response\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    names = ("own_middleware.Stores", "own_middleware.plain", "no_such_library.Middleware")
    result = middleware(*names, importing=True)
    assert result["updates"] is True
    assert [one["middleware"] for one in result["errors"]] == ["no_such_library.Middleware"]
    assert "no_such_library" in result["errors"][0]["error"]
    assert middleware(*names)["errors"] == []


@pytest.mark.parametrize(
    ("loaders", "names"),
    [
        ([FILES, APPS], [FILES, APPS]),
        ([(CACHED, [FILES, APPS])], [CACHED, FILES, APPS]),
        ([[CACHED, [(FILES, ["/secret"])]]], [CACHED, FILES]),
        ([("django.template.loaders.locmem.Loader", {"page": "text"})], ["django.template.loaders.locmem.Loader"]),
        ([], []),
    ],
)
def test_loaders_are_named_without_what_they_are_given(loaders, names):
    assert it.flat(loaders) == names


def engine(**conf):
    settings = types.SimpleNamespace(DEBUG=conf.pop("debug", False))
    return it.engine_of({"BACKEND": "django.template.backends.django.DjangoTemplates", **conf}, settings)


@pytest.mark.parametrize(
    ("conf", "loaders", "cached"),
    [
        ({"APP_DIRS": True}, [CACHED, FILES, APPS], True),
        ({}, [CACHED, FILES], True),
        ({"OPTIONS": {"loaders": [FILES]}}, [FILES], False),
        ({"OPTIONS": {"loaders": [(CACHED, [FILES])]}}, [CACHED, FILES], True),
    ],
)
def test_the_loaders_that_django_takes(conf, loaders, cached):
    assert engine(**conf) == {"loaders": loaders, "cached": cached}


def test_loaders_that_django_refuses():
    with pytest.raises(Exception, match="app_dirs must not be set"):
        engine(APP_DIRS=True, OPTIONS={"loaders": [FILES]})


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.production')\n", "shop.production"),
        ("import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', NAME)\n", None),
        ("os.environ['DJANGO_SETTINGS_MODULE'] = 'x'\n", None),
        ("print('DJANGO_SETTINGS_MODULE')\n", None),
        ("", None),
    ],
)
def test_the_settings_that_an_application_names(tmp_path, monkeypatch, text, settings):
    name = f"wsgi_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert it.default_settings(name) == settings
    assert it.default_settings(f"no_{name}") is None


def test_names():
    assert it.name_of(it.flat) == f"{it.__name__}.flat"
    assert it.name_of(types.SimpleNamespace()) == "types.SimpleNamespace"
