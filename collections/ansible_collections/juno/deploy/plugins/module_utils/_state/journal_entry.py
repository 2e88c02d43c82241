# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release as the journal has it: its one reader and its one writer. Private to juno.deploy: no stable interface.

A field that is empty is not written, and one that a journal lacks is empty, so that journals of earlier and of later
versions are read. What is not known here is kept, and written back.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options, typed
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._state import journal_upgrade, switch_spec

#: A migration as the app's own code tells of it.
Migration = dict[str, t.Any]
#: Fields that are only shown to a person or only measured: where one is of another kind, the rest counts nevertheless.
ONLY_SHOWN = frozenset(
    {"who", "started", "ended", "strategy", "figures", "problems", "standing", "proxy", "published_ports", "layout"}
    | {"applied", "applied_elsewhere", "boot_seconds", "moved_to_proxy", "container_name"}
)
CURE = "correct it, or set the file aside (mv), and deploy again"
#: Written also where they say what an entry without them says.
ALWAYS = frozenset({"number", "purpose", "step"})


@dataclasses.dataclass(frozen=True)
class Before:
    """What served before a release, as its switch found it."""

    commit: str
    #: The app's containers: the service by the id.
    containers: dict[str, str]
    #: Their images by service.
    images: dict[str, str] = dataclasses.field(default_factory=dict)
    #: The services beside the site; nothing where that wasn't looked at.
    workers: list[str] | None = None
    #: Containers of the app that had ended.
    stopped: list[str] = dataclasses.field(default_factory=list)
    #: What the names of images meant.
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Our override of the compose file, and the proxy's configuration; empty where there was none.
    override: str = ""
    haproxy: str = ""
    #: The proxy was there.
    proxy: bool = False
    #: The other services' containers by id: C(service), C(image), and whether it was C(running).
    others: dict[str, dict[str, t.Any]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Schema:
    """The migrations of a release: those that were applied when it was built, and those that came with it."""

    applied: list[str] = dataclasses.field(default_factory=list)
    pending: list[Migration] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Migrating:
    """The run that has begun to migrate, by the name of its session in the database server."""

    session: str = ""


@dataclasses.dataclass(frozen=True)
class Reversing:
    """The code whose migrations a rollback has begun to reverse, which the undo applies again."""

    commit: str
    #: By service; empty for those that serve.
    images: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class BackupSpec:
    """When databases are copied, and how long that may take."""

    #: V(auto) before migrations, where it can be; V(always) before each deploy, or it fails; V(never).
    when: str = options.default(options.MIGRATE, "backup")
    timeout_seconds: float = options.default(options.MIGRATE, "backup_timeout_seconds")


@dataclasses.dataclass(frozen=True)
class JournalEntry:
    """A release: what it is, how far it has come, what its undo needs, and what runs since."""

    number: int = 0
    #: deploy, rollback, restart.
    purpose: str = "deploy"
    commit: str = ""
    strategy: str = ""
    who: str = ""
    started: str = ""
    ended: str = ""
    #: started, done, failed.
    outcome: str = ""
    #: What served before serves again.
    undone: bool = False
    #: The step that was begun last: begin, build, built, migrate, switch, move, moved, open, switched, reverse,
    #: verified.
    step: str = "begin"

    # For the undo

    before: Before | None = None
    spec: switch_spec.SwitchSpec | None = None
    #: The images of the new code by service.
    built: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Those of them that came from a registry, as REPOSITORY@DIGEST.
    pulled: dict[str, str] = dataclasses.field(default_factory=dict)
    schema: Schema = dataclasses.field(default_factory=Schema)
    migrating: Migrating | None = None
    #: This run's migrations, and those that it found applied by another host.
    applied: list[Migration] = dataclasses.field(default_factory=list)
    applied_elsewhere: list[str] = dataclasses.field(default_factory=list)
    #: Migrations that stand though the release was undone.
    standing: list[str] = dataclasses.field(default_factory=list)
    reversing: Reversing | None = None
    backup: BackupSpec = dataclasses.field(default_factory=BackupSpec)
    #: Copies of databases: C(path), C(kind), C(database) and what they came to.
    backups: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    #: By V(old) and V(new), what restart policy each container had.
    restart_policies: dict[str, dict[str, dict[str, t.Any]]] = dataclasses.field(default_factory=dict)
    #: The checkout, or what lies beside git in it, is another one; nothing where it hasn't come to that.
    moved: bool | None = None
    #: Static files may be in the root that serves.
    collected: bool = False
    #: Other services of which it may have started containers, and those that it did start.
    touches: list[str] = dataclasses.field(default_factory=list)
    others_new: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    #: Front proxies that were recreated for nothing but to find our proxy.
    led: list[str] = dataclasses.field(default_factory=list)
    #: Front proxies that were told to read their configuration of this release.
    front_reloaded: list[str] = dataclasses.field(default_factory=list)
    workers_signalled: bool = False
    #: How many workers gunicorn had in a container, by its id, before it was to start new ones.
    gunicorn_workers: dict[str, int] = dataclasses.field(default_factory=dict)
    #: A new container was asked for pages.
    asked: bool = False
    #: Its pages may still be in the caches.
    invalidation_pending: bool = False
    #: What its undo could do nothing about.
    problems: list[str] = dataclasses.field(default_factory=list)

    # What stays of earlier releases; nothing before it is verified

    keep: int | None = None
    keep_backups: int | None = None
    build_cache_keep_mb: int | None = None

    # What runs

    cache_version: int = 0
    #: Caches whose keys don't carry the cache version; and whether all others need no clearing.
    cache_version_others: list[str] = dataclasses.field(default_factory=list)
    cache_version_covers: bool = False
    #: Where the settings find the app's parts, in the fields of C(_rules.rules.Layout), and C(static_at).
    layout: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    #: The app's containers: the service by the id.
    containers: dict[str, str] = dataclasses.field(default_factory=dict)
    #: By service.
    images: dict[str, str] = dataclasses.field(default_factory=dict)
    configurations: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    #: The services beside the site, each with why; nothing where that wasn't looked at.
    workers: dict[str, str] | None = None
    #: Their new containers, and since when, in seconds of the monotonic clock.
    started_workers: list[str] = dataclasses.field(default_factory=list)
    workers_began: float = 0.0
    #: Since when the site's new containers are healthy, in seconds of the monotonic clock, and how long they took.
    healthy: float = 0.0
    boot_seconds: float = 0.0
    moved_to_proxy: bool = False
    #: What the compose file calls the site's container.
    container_name: str = ""
    #: Of the other services C(image) and C(digest) of those that are built, and the images of those that run once.
    others: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    task_images: dict[str, str] = dataclasses.field(default_factory=dict)
    #: The proxy's image: C(image), C(id), C(digest).
    proxy: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Published ports that answered: address, port, and what was spoken.
    published_ports: list[tuple[str, int, str]] = dataclasses.field(default_factory=list)
    #: What was measured, with C(visitors); of a release that failed C(task) and C(reason).
    figures: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    #: What another version has written; what it wrote into a part is below the part's name.
    extra: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict[str, t.Any]:
        """Return it as plain data, as the journal and results of modules have it."""
        plain: dict[str, t.Any] = typed.to_plain(self)
        extra = plain.pop("extra")
        result = {name: value for name, value in plain.items() if name in ALWAYS or value != _DEFAULTS[name]}
        return _with_more(
            result, {name: more for name, more in extra.items() if name in result or name not in _DEFAULTS}
        )


_DEFAULTS: dict[str, t.Any] = typed.to_plain(JournalEntry())
del _DEFAULTS["extra"]


def _with_more(result: dict[str, t.Any], more: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return plain data with what another version has written into it."""
    for name, value in more.items():
        there = result.get(name)
        if isinstance(there, dict) and isinstance(value, dict):
            result[name] = _with_more(there, value)
        else:
            result.setdefault(name, value)
    return result


def from_json(raw: t.Any, path: str, cure: str = CURE) -> JournalEntry:
    """Read a release from plain data.

    :param path: the journal's file, for messages.
    :param cure: what a person is to do where it can't be read.
    :raises JunoError: it is none, or a field that something hangs on is of another kind.
    """
    number = raw.get("number") if isinstance(raw, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise JunoError(
            f"The journal {path} can't be understood, since one of its releases is no object with a number "
            f"({json.dumps(raw)[:60]}): {cure}."
        )
    try:
        entry, extra = typed.from_plain(JournalEntry, {**journal_upgrade.upgraded(raw), "extra": None}, ONLY_SHOWN)
    except typed.KindError as exc:
        what = f"'{exc.field}' of its release {number} {exc.problem}"
        raise JunoError(f"The journal {path} can't be understood, since {what}: {cure}.") from exc
    if "extra" in raw:
        extra["extra"] = raw["extra"]
    return dataclasses.replace(entry, extra=extra) if extra else entry
