# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person must know about a Django app. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._info.django_info_caches import (
    Finding,
    names,
    sessions,
    unusable,
    versions,
)

if t.TYPE_CHECKING:
    from collections.abc import Iterator

DEVELOPMENT_SERVER = "Django's development server serves the site: start gunicorn in its place."


def find(info: dict[str, t.Any]) -> list[Finding]:
    """Return what must be known of an app that was looked at, the gravest first."""
    found = [
        *_debug(info),
        *_settings(info),
        *_server(info["server"]),
        *unusable(info["caches"], info["server"].get("workers")),
        *versions(info["caches"], info["cache_version"]),
        *sessions(info),
        *_templates(info),
        *_static(info),
        *_middleware(info),
        *_responses(info["responses"]),
        *_broken(info),
    ]
    levels = ("danger", "problem", "hint")
    return sorted(found, key=lambda one: levels.index(one.level))


def _debug(info: dict[str, t.Any]) -> Iterator[Finding]:
    if info["debug_text"]:
        yield Finding(
            "debug_text",
            "danger",
            f"DEBUG is on: it is the text '{info['debug_text']}', and any text is true. Make it a boolean, for example "
            "os.environ.get('DJANGO_DEBUG') == 'True'.",
        )
    elif info["debug"]:
        off = f" ({names(info['debug_variables'])} in the environment says off)" if info["debug_variables"] else ""
        yield Finding(
            "debug",
            "danger",
            f"DEBUG is on{off}, so every visitor can read settings on an error page: set it to False.",
        )


def _settings(info: dict[str, t.Any]) -> Iterator[Finding]:
    other = info["application"]["settings"]
    if other and other != info["settings_module"] and not info["environment"]["settings_named"]:
        yield Finding(
            "settings_differ",
            "problem",
            f"All this is of {info['settings_module']}, but the server runs {info['application']['module']}, which "
            f"names {other}: set the option 'settings' to it, or DJANGO_SETTINGS_MODULE for the container.",
        )
    if info["environment"]["error"]:
        yield Finding(
            "environment",
            "hint",
            f"The environment of the server's process can't be read ({info['environment']['error']}), so what its "
            "start script exports is not known: become root.",
        )


def _server(server: dict[str, t.Any]) -> Iterator[Finding]:
    if server["kind"] == "runserver":
        yield Finding("runserver", "danger", DEVELOPMENT_SERVER)
        return
    if server.get("autoreload"):
        yield Finding(
            "autoreload",
            "problem",
            f"{server['kind']} starts new workers whenever a file changes, also in the middle of a deploy: start it "
            "without --reload.",
        )
    if server.get("preload"):
        yield Finding(
            "preload",
            "hint",
            "gunicorn preloads the app, so that a reload (HUP) would serve a mixture of old and new code: deploy with "
            "the strategy rolling, or start it without --preload.",
        )


def _templates(info: dict[str, t.Any]) -> Iterator[Finding]:
    if any(one["cached"] for one in info["templates"]):
        yield Finding(
            "templates_cached",
            "hint",
            "Workers keep compiled templates in their memory: only new workers serve a changed one, and clearing "
            "caches doesn't help.",
        )


def _static(info: dict[str, t.Any]) -> Iterator[Finding]:
    manifest = info["static"]["manifest"]
    if manifest and not manifest["exists"] and not info["debug"]:
        yield Finding(
            "manifest_missing",
            "problem",
            f"The manifest of static files ({manifest['path'] or info['static']['storage']}) is missing, so every page "
            "that names a static file fails: run collectstatic.",
        )


def _middleware(info: dict[str, t.Any]) -> Iterator[Finding]:
    cache = info["middleware_cache"]
    if cache["updates"] != cache["fetches"]:
        there, missing = ("Update", "FetchFrom") if cache["updates"] else ("FetchFrom", "Update")
        yield Finding(
            "middleware_half",
            "problem",
            f"MIDDLEWARE has {there}CacheMiddleware without {missing}CacheMiddleware, so no page comes from the cache "
            "by it: add the other, or take it out.",
        )
    if cache["updates"] and cache["before_update"]:
        earlier = names([one.rpartition(".")[2] for one in cache["before_update"]])
        yield Finding(
            "middleware_order",
            "danger",
            f"UpdateCacheMiddleware stands after {earlier} in MIDDLEWARE, so a page that is for one visitor can be "
            "stored and served to others: put it first.",
        )
    if (cache["updates"] or cache["fetches"]) and cache["alias"] not in [one["alias"] for one in info["caches"]]:
        yield Finding(
            "middleware_alias",
            "problem",
            f"CACHE_MIDDLEWARE_ALIAS is '{cache['alias']}', which CACHES doesn't have, so every page fails: correct "
            "it.",
        )


def _responses(responses: list[dict[str, t.Any]]) -> Iterator[Finding]:
    kept: dict[int, list[str]] = {}
    for one in responses:
        if one["html"] and one["kept_seconds"]:
            kept.setdefault(one["kept_seconds"], []).append(one["path"])
    for seconds, paths in sorted(kept.items(), reverse=True):
        yield Finding(
            "html_max_age",
            "problem",
            f"Browsers keep {names(paths)} for {seconds:,} s, and no server can call that back: send Cache-Control: "
            "no-cache with an ETag, or shorten cache_page.",
        )
    if refused := [one["path"] for one in responses if one["status"] == 400]:
        yield Finding(
            "host_refused",
            "problem",
            f"{names(refused)} answered with status 400, as Django does for a name that is not in ALLOWED_HOSTS: set "
            "host_header to the site's name.",
        )
    for one in responses:
        if one["status"] >= 500:
            yield Finding(
                "page_fails",
                "problem",
                f"{one['path']} answered with status {one['status']}: the server's log tells why.",
            )


def _broken(info: dict[str, t.Any]) -> Iterator[Finding]:
    for part, what in (("apps", "INSTALLED_APPS can't all be loaded"), ("urls", "The URLconf can't be loaded")):
        facts = info[part]
        if facts and facts["error"]:
            place = f" ({facts['where']})" if facts.get("where") else ""
            yield Finding(
                f"{part}_broken",
                "problem",
                f"{what}{place}: {facts['error']}. Correct that before a worker restarts, since it would fail there.",
            )
