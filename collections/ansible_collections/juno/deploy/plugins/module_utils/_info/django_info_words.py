# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of an app, a line for each subject. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base.table import columns
from ansible_collections.juno.deploy.plugins.module_utils._info.django_info_caches import QUERIES

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._info.django_info_caches import Finding

STORES = {
    "cache": "in the cache '{alias}' alone, which a flush loses",
    "cached_database": "in the database, and in the cache '{alias}'; they survive a flush",
    "database": "in the database",
    "files": "in files",
    "cookies": "in signed cookies",
    "other": "where {engine} keeps them",
}


def lines(info: dict[str, t.Any], findings: Sequence[Finding]) -> list[str]:
    """Return the lines; the subject stands before the first of several."""
    rows = [
        ("Django", [django(info)]),
        ("Server", [server(info["server"])]),
        ("Caches", columns([cache(one) for one in info["caches"]], left=range(4)) or ["none is known"]),
        ("Sessions", [sessions(info["sessions"])]),
        ("Templates", [template(one) for one in info["templates"]] or ["none are configured"]),
        ("Static files", [static(info["static"])]),
        ("Page cache", [middleware(info["middleware_cache"])]),
        ("New release", [cache_version(info["cache_version"])]),
        ("Pages", columns([page(one) for one in info["responses"]], left=range(3)) or ["none was asked for"]),
        ("Not known", [f"{one['part']}: {one['error']}" for one in info["errors"]]),
        ("Findings", [f"{one.level}: {one.text}" for one in findings] or ["none"]),
    ]
    width = max(len(subject) for subject, _words in rows)
    return list(_aligned(rows, width))


def _aligned(rows: Sequence[tuple[str, list[str]]], width: int) -> Iterator[str]:
    for subject, words in rows:
        for number, text in enumerate(words):
            yield f"{'' if number else subject:{width}}  {text}".rstrip()


def django(info: dict[str, t.Any]) -> str:
    """Return the versions, DEBUG and the settings."""
    debug = "on" if info["debug"] else "off"
    debug += f" (the text '{info['debug_text']}')" if info["debug_text"] else ""
    return (
        f"{info['django']} on Python {info['python']}, DEBUG {debug}, settings {info['settings_module'] or 'unnamed'}"
    )


def server(facts: dict[str, t.Any]) -> str:
    """Return what serves and how."""
    if not facts["kind"]:
        return str(facts["error"])
    kind = f"{facts['worker_class']} " if facts["worker_class"] else ""
    words = [facts["kind"], f"{facts['workers']} {kind}worker{'' if facts['workers'] == 1 else 's'}"]
    words += [f"{facts['threads']} threads each"] if (facts["threads"] or 1) > 1 else []
    words += ["preloads the app"] if facts["preload"] else []
    words += [f"at {', '.join(facts['listens'])}"] if facts["listens"] else []
    words += ["can be reloaded"] if facts["reload"] else [f"no reload: {facts['reload_reason']}"]
    return ", ".join(words)


def cache(one: dict[str, t.Any]) -> tuple[str, ...]:
    """Return the columns of a cache."""
    name = one["backend"].rpartition(".")[2]
    places = ", ".join(one["locations"])
    if one["error"]:
        return (one["alias"], name, places, "can't be used", "")
    if one["backend"] == QUERIES:
        return (one["alias"], name, places, "results of queries", "")
    begins = "keys without a prefix" if one["keys_begin_with"] is None else f"keys begin with {one['keys_begin_with']}"
    version = "" if one["version_type"] == "int" else f", VERSION is a {one['version_type']}"
    return (one["alias"], name, places, f"{begins}{version}", kept(one["timeout"]))


def kept(seconds: float | None) -> str:
    """Return for how long entries are kept."""
    return "for ever" if seconds is None else f"{seconds:,g} s"


def sessions(facts: dict[str, t.Any]) -> str:
    """Return where sessions live."""
    if not facts["store"]:
        return "not known"
    where = STORES[facts["store"]].format(**facts)
    return where if facts["used"] else f"{where}; SessionMiddleware is not in use"


def template(one: dict[str, t.Any]) -> str:
    """Return how an engine keeps templates."""
    name = one["backend"].rpartition(".")[2]
    if one["error"]:
        return f"{name}: not known"
    return f"{name}: {'kept in memory until new workers come' if one['cached'] else 'read again each time'}"


def static(facts: dict[str, t.Any]) -> str:
    """Return where static files are and whether their manifest is."""
    where = f"{facts['storage'].rpartition('.')[2] or 'no storage'}, {facts['root'] or 'no root'}"
    manifest = facts["manifest"]
    if not manifest:
        return f"{where}, no manifest"
    if not manifest["exists"]:
        return f"{where}, its manifest is missing"
    return f"{where}, manifest {manifest['hash']} with {manifest['entries']:,} files"


def middleware(facts: dict[str, t.Any]) -> str:
    """Return whether middleware caches whole pages."""
    if not facts["updates"] and not facts["fetches"]:
        return "no middleware caches whole pages"
    prefix = f", prefix '{facts['key_prefix']}'" if facts["key_prefix"] else ""
    return f"middleware keeps pages for {kept(facts['seconds'])} in the cache '{facts['alias']}'{prefix}"


def cache_version(facts: dict[str, t.Any]) -> str:
    """Return which caches a new release has to itself."""
    if not facts["variable"]:
        return "not asked for"
    if facts["error"]:
        return f"whether {facts['variable']} counts is not known"
    own = sorted(alias for alias, honoured in facts["honoured"].items() if honoured)
    others = sorted(set(facts["honoured"]) - set(own))
    if not own:
        return f"shares every cache with the old one: none takes its VERSION from {facts['variable']}"
    return f"has keys of its own in {', '.join(own)} by {facts['variable']}" + (
        f", not in {', '.join(others)}" if others else ""
    )


def page(one: dict[str, t.Any]) -> tuple[str, str, str]:
    """Return the columns of a page."""
    if one["error"]:
        return (one["path"], "-", one["error"])
    words = [one["cache_control"] or "no Cache-Control"]
    words += [f"browsers keep it {one['kept_seconds']:,} s"] if one["kept_seconds"] else []
    words += [f"Vary: {', '.join(one['vary'])}"] if one["vary"] else []
    words += ["ETag"] if one["etag"] else []
    words += ["sets a cookie"] if one["sets_cookie"] else []
    return (one["path"], str(one["status"]), "; ".join(words))
