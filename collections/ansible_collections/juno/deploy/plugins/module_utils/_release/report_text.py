# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a release, as lines for a person. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options, text
from ansible_collections.juno.deploy.plugins.module_utils._release import report_details

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.juno.deploy.plugins.module_utils._cache.invalidation import Scope


def _nothing() -> Mapping[str, t.Any]:
    return {}


@dataclasses.dataclass(frozen=True)
class Results:
    """What the steps of a release gave; empty, or nothing for the two ways to clear caches, where one was not done."""

    begun: Mapping[str, t.Any] = dataclasses.field(default_factory=_nothing)
    built: Mapping[str, t.Any] = dataclasses.field(default_factory=_nothing)
    migrated: Mapping[str, t.Any] = dataclasses.field(default_factory=_nothing)
    #: Of all static files, from scratch.
    collected: Mapping[str, t.Any] = dataclasses.field(default_factory=_nothing)
    switched: Mapping[str, t.Any] = dataclasses.field(default_factory=_nothing)
    #: By the app's settings, or by its own command.
    cleared: Mapping[str, t.Any] | None = None
    #: Of memcached.
    flushed: Mapping[str, t.Any] | None = None
    verified: Mapping[str, t.Any] = dataclasses.field(default_factory=_nothing)
    recorded: Mapping[str, t.Any] = dataclasses.field(default_factory=_nothing)


@dataclasses.dataclass(frozen=True)
class Site:
    """What was wanted, and where."""

    #: V(deploy), V(rollback) or V(restart); empty where a person clears the caches.
    purpose: str
    #: The host as the inventory names it.
    host_name: str
    #: The site's address for people; empty where it is asked for by its address on the host.
    site_url: str = ""
    host_header: str = ""
    #: V(settings), V(memcached) or V(none).
    cache_method: str = options.default(options.CACHES, "method")
    #: The app's own command that clears its caches.
    cache_command: str = ""
    #: All static files were collected from scratch.
    recollect: bool = False
    #: What of the caches was to go.
    clear: Scope = "all"


def lines(results: Results, site: Site) -> list[str]:
    """Return the report of a release that serves and is recorded."""
    git, recorded = results.begun["git"], results.recorded
    number, commit = recorded["release"]["number"], git["target_commit"][:12]
    where = site.site_url or f"{results.switched['base_url']} on {site.host_name}"
    caches = site.purpose != "restart" or site.recollect
    return text.as_lines(
        [
            f"Done: release {number} serves, {commit} {git['target_subject']}",
            recorded.get("lost") or "",
            f"Site:   {where}{f' as {site.host_header}' if site.host_header else ''}",
            f"Switch: {recorded['switch']}",
            *detail_lines(results, site),
            f"Caches: {cache_words(results, site)}" if caches else "",
            *_verification(results.verified),
            *recorded["words"],
        ]
    )


def clear_lines(results: Results, site: Site, *, check_mode: bool = False) -> list[str]:
    """Return the report where a person clears the caches."""
    return text.as_lines([cache_words(results, site, check_mode=check_mode), *_verification(results.verified)])


def detail_lines(results: Results, site: Site) -> list[str]:
    """Return what a release did beside its switch."""
    collected = results.collected if site.recollect else {}
    return report_details.lines(results.built, results.migrated, collected, results.switched)


def cache_words(results: Results, site: Site, *, check_mode: bool = False) -> str:
    """Return what was done to the caches, and why; in check mode what would be."""
    caches = results.switched.get("caches") or {}
    if site.cache_method == "none":
        return "Left alone, as 'caches.method' asks."
    if site.clear == "none":
        return "Left alone: nothing that changed is in a cached page."
    if caches.get("covered") and not caches["alias"]:
        return _own_cache_version(caches["cache_version"], results.switched.get("warmed") or 0)
    done = results.flushed if site.cache_method == "memcached" else results.cleared
    if done is None:
        return "Not cleared."
    if site.cache_method == "memcached":
        return " ".join(map(_of_server, done["results"]))
    if site.cache_command and not check_mode:
        said = "; ".join(done["stdout"].strip().splitlines())
        return f"The app's command {site.cache_command} ended well and said: {said}"
    return _of_aliases(done, new_workers=bool(results.switched))


def why_lines(results: Results, cache_version_variable: str, app_says: str, reboot: str | None = None) -> list[str]:
    """Return what -v tells more.

    :param cache_version_variable: the environment variable with the release's cache version.
    :param app_says: what M(juno.deploy.django_info) tells of the app.
    :param reboot: why nobody would tidy up after a reboot in the middle; empty where units of systemd would, nothing
        where that is not known.
    """
    parts = ["Why the caches were treated so:"]
    caches = results.switched.get("caches")
    if caches and caches.get("covered"):
        parts.append(
            f"Cache version: the settings honour {cache_version_variable}, so this release has a number of its own"
        )
    elif caches and caches.get("why"):
        parts.append(f"Cache version: {caches['why']}")
    for one in (results.cleared or {}).get("caches") or []:
        parts.append(f"{one['alias']}: {one['how'] or one['status']}. {one['message']}")
    if reboot is not None:
        then = f"the next deploy would tidy up, since {reboot}" if reboot else "units of systemd would have tidied up"
        parts.append(f"A reboot in the middle: {then}")
    return text.as_lines([*parts, "The app says of itself:", app_says])


def _verification(verified: Mapping[str, t.Any]) -> list[str]:
    words = verified.get("words") or []
    return [f"Verification: {words[0]}", *words[1:]] if words else []


def _own_cache_version(cache_version: int, warmed: int) -> str:
    pages = "page was" if warmed == 1 else "pages were"
    rendered = f" ({warmed} {pages} rendered before visitors came)" if warmed else ""
    return (
        f"Cache version {cache_version} is this release's own: it can't read what was cached before, and nothing was "
        f"cleared{rendered}."
    )


def _of_aliases(cleared: Mapping[str, t.Any], *, new_workers: bool) -> str:
    """Return what came of each of the app's caches; C(new_workers) have none of what old ones had in memory."""
    caches = cleared["caches"]
    ended = [one["alias"] for one in caches if one["status"] == "needs_restart"] if new_workers else []
    if ended:
        rest = [f"{one['alias']}: {one['message']}" for one in caches if one["alias"] not in ended]
        parts = [f"Ended with the old workers, in whose memory they were: {', '.join(ended)}.", *rest]
    else:
        parts = [cleared["msg"]]
    parts += [f"{one['alias']}: {one['how']} ({one['milliseconds']} ms)." for one in caches if one["how"]]
    return " ".join(parts)


def _of_server(one: Mapping[str, t.Any]) -> str:
    status = one["status"].replace("_", " ")
    if "deleted" in one:
        did = f"{one['deleted']} entries {status}, {one['sessions']} sessions left"
    else:
        did = f"{status}, {one['items_before']} items before{', none of them left' if one['verified'] else ''}"
    return f"{one['container'] or one['server']}: {did} ({one['milliseconds']} ms)."
