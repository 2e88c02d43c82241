# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release did beside its switch, as lines for a person. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import text

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Files that are named; where there are more, that is said.
FILES_NAMED = 3


def lines(
    built: Mapping[str, t.Any],
    migrated: Mapping[str, t.Any],
    collected: Mapping[str, t.Any],
    switched: Mapping[str, t.Any],
) -> list[str]:
    """Return them from the results of the build, the migrations, collecting from scratch, and the switch.

    Each of them may be empty, where that was not done.
    """
    notices = [*(built.get("not_pulled") or []), *(built.get("unlooked") or []), *(switched.get("notices") or [])]
    return text.as_lines(
        [
            *(f"Notice: {one}" for one in notices),
            *_pulled(built.get("pulled") or {}),
            *_services(built, switched.get("services") or {}),
            *_migrations(migrated),
            *_backups(migrated),
            *_bytecode(switched.get("bytecode") or {}),
            *_earlier_static(switched.get("static") or {}),
            *_static_in_bucket(built.get("static") or {}),
            *_static_without_git(built),
            *_new_static(switched.get("collected") or {}, collected),
        ]
    )


def _pulled(images: Mapping[str, str]) -> list[str]:
    """Name the images that came from a registry, each with its services."""
    services: dict[str, list[str]] = {}
    for name, image in images.items():
        services.setdefault(image, []).append(name)
    return [f"Image:  {image} ({', '.join(names)})" for image, names in services.items()]


def _services(built: Mapping[str, t.Any], services: Mapping[str, t.Any]) -> list[str]:
    first = [one["id"] for one in built.get("actions") or [] if one["what"] == "service"]
    first += services.get("started") or []
    parts = [f"Services: started for the first time: {', '.join(first)}"] if first else []
    if services.get("replaced"):
        parts.append(f"Services: replaced {', '.join(services['replaced'])} in {services['replaced_seconds']} s")
    return parts


def _migrations(migrated: Mapping[str, t.Any]) -> list[str]:
    """Name the migrations by what was done with them."""
    by_status: dict[str, list[str]] = {}
    for one in migrated.get("actions") or []:
        if one["what"] == "migration":
            by_status.setdefault(one["status"], []).append(one["id"])
    return [f"Migrations: {_first(names)} {status}" for status, names in by_status.items()]


def _backups(migrated: Mapping[str, t.Any]) -> list[str]:
    """Name the copies of the database from before the migrations, or say why there is none."""
    copies = migrated.get("backups")
    if copies is None:
        return []
    return [
        *(f"Backup: {one['path']}, {text.size(one['bytes'])} in {one['seconds']} s" for one in copies),
        *(f"Backup: none, since {one}" for one in migrated.get("notices") or []),
    ]


def _bytecode(bytecode: Mapping[str, t.Any]) -> list[str]:
    return [f"Bytecode: {bytecode['words']}"] if bytecode.get("files_removed") else []


def _earlier_static(static: Mapping[str, t.Any]) -> list[str]:
    parts = []
    if static.get("removed"):
        parts.append(f"Static: {static['removed']} files of earlier releases removed, {text.size(static['bytes'])}")
    if static.get("carried"):
        parts.append(f"Static: {static['carried']} files of earlier releases, which only their images hold, came along")
    return parts


def _static_in_bucket(static: Mapping[str, t.Any]) -> list[str]:
    """Tell what came into storage that is no folder; of a folder nobody asks."""
    if static.get("place"):
        return [f"Static: {_changed(static)} in {static['place']}"]
    if static.get("why") and "added" in static:
        return [f"Notice: static files: {static['why']}"]
    return []


def _static_without_git(built: Mapping[str, t.Any]) -> list[str]:
    parts, untracked, links = [], built.get("untracked"), built.get("links_left_out")
    if untracked:
        parts.append(f"Static: collected from the checkout, since git does not have them: {_first(untracked)}")
    if links:
        parts.append(f"Static: not collected, since they are links that git does not have: {_first(links)}")
    return parts


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:FILES_NAMED]) + (", ..." if len(names) > FILES_NAMED else "")


def _new_static(for_release: Mapping[str, t.Any], recollected: Mapping[str, t.Any]) -> list[str]:
    """Return what collecting did: for a release that is gone back to, or from scratch."""
    parts = []
    if "added" in for_release:
        parts.append(f"Static: collected again for this release, {_changed(for_release)}")
    if "added" in recollected:
        pruned = f"{recollected['pruned_count']} of earlier releases removed ({text.size(recollected['pruned_bytes'])})"
        parts.append(f"Static: {_changed(recollected)}, {pruned}")
    return parts


def _changed(collected: Mapping[str, t.Any]) -> str:
    # Where files were not staged, none is known to be replaced.
    return f"{collected['added']} files new, {collected.get('replaced', 0)} replaced"
