# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app's own process told, in the shape of the module's result. Private to juno.deploy: no stable interface.

A part that could not be told has its usual keys, without values, and an error text, so that what reads a result needs
no case of its own for it.
"""

from __future__ import annotations

import typing as t

#: What each part is when it was not told; parts that were have the same keys.
EMPTY: dict[str, t.Any] = {
    "caches": [],
    "sessions": {"engine": "", "alias": None, "store": "", "used": False},
    "templates": [],
    "static": {"storage": "", "root": None, "url": "", "installed": False, "manifest": None},
    "middleware": {
        "updates": False,
        "fetches": False,
        "seconds": None,
        "alias": None,
        "key_prefix": None,
        "before_update": [],
        "errors": [],
    },
    "application": {"module": "", "settings": None},
    "apps": {"installed": None},
    "urls": {"patterns": None},
}
#: Parts that load the app.
IMPORTING = ("apps", "urls")
#: Keys that a cache has beside those that are told even of one that can't be made.
KEYS = (
    "key_prefix",
    "keys_begin_with",
    "key_example",
    "key_function",
    "key_error",
    "version",
    "version_type",
    "timeout",
)


def shape(answer: dict[str, t.Any], *, importing: bool, variable: str, ended: str) -> dict[str, t.Any]:
    """Return the result without server and responses; C(ended) says why a part may be missing."""
    about = answer["about"]
    parts = {name: _part(answer, name, importing=importing, ended=ended) for name in EMPTY}
    cache_version = answer.get("cache_version") or {"honoured": {}, "types": {}, "error": ended if variable else ""}
    sessions = parts["sessions"]
    info = {
        **{name: about[name] for name in ("django", "python", "interpreter", "settings_module")},
        **{name: about[name] for name in ("debug", "debug_text", "debug_variables", "environment")},
        "caches": [cache(one) for one in parts["caches"]["value"]],
        "sessions": {**sessions, "lost_by_flush": sessions["store"] == "cache"},
        "templates": parts["templates"]["value"],
        "static": parts["static"],
        "middleware_cache": parts["middleware"],
        "application": parts["application"],
        "apps": parts["apps"],
        "urls": parts["urls"],
        "cache_version": {**cache_version, "variable": variable},
    }
    return {**info, "errors": list(_errors(info, parts))}


def _part(answer: dict[str, t.Any], name: str, *, importing: bool, ended: str) -> dict[str, t.Any]:
    """Return a part with its error; a list is in C(value)."""
    if name in IMPORTING and not importing:
        found: dict[str, t.Any] = {"value": None, "error": "", "where": ""}
    else:
        found = answer.get(name) or {"value": None, "error": ended, "where": ""}
    value = EMPTY[name] if found["value"] is None else found["value"]
    error, where = found["error"], found.get("where", "")
    if isinstance(value, list):
        return {"value": value, "error": error, "where": where}
    return {**value, "error": error or value.get("error", ""), "where": where}


def cache(one: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a cache with all keys."""
    return {**dict.fromkeys(KEYS), **one, "error": one["error"] or ""}


def _errors(info: dict[str, t.Any], parts: dict[str, dict[str, t.Any]]) -> t.Iterator[dict[str, str]]:
    """List all that could not be told, in one place."""
    for name, one in parts.items():
        if one["error"]:
            yield {"part": name, "error": one["error"], "where": one["where"]}
    for kind, naming in (("caches", "alias"), ("templates", "backend")):
        for one in info[kind]:
            if one["error"]:
                yield {"part": f"{kind}: {one[naming]}", "error": one["error"], "where": ""}
    for one in info["middleware_cache"]["errors"]:
        yield {"part": f"middleware: {one['middleware']}", "error": one["error"], "where": ""}
    if info["cache_version"]["error"]:
        yield {"part": "cache_version", "error": info["cache_version"]["error"], "where": ""}
