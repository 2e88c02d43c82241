# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What services of a compose project see of the app's directory, by mounts and builds. Private to juno.deploy."""

from __future__ import annotations

import os
import typing as t

#: How deep, and among how many files, a mounted folder is looked at for code.
CODE_DEPTH = 3
CODE_LOOKED_AT = 5000


def inside(path: str, directory: str) -> bool:
    """Return whether a path is a directory or below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def moved(path: str, directory: str, checkout: str) -> str:
    """Return the place in the checkout of a path in the app's directory."""
    return checkout + path[len(directory.rstrip("/")) :]


def all_moved(value: t.Any, directory: str, checkout: str) -> t.Any:
    """Return a configuration whose paths in one directory are at the same place in another one."""
    if isinstance(value, dict):
        return {key: all_moved(one, directory, checkout) for key, one in value.items()}
    if isinstance(value, list):
        return [all_moved(one, directory, checkout) for one in value]
    return moved(value, directory, checkout) if isinstance(value, str) and inside(value, directory) else value


def mounted_sources(service: dict[str, t.Any], directory: str) -> list[str]:
    """Return what a service sees of the app's directory by bind mounts, from its top; nothing stands for all of it."""
    sources = [one.get("source", "") for one in service.get("volumes") or [] if one.get("type") == "bind"]
    below = [moved(one, directory, "").lstrip("/") for one in sources if one and inside(one, directory)]
    return ([""] if any(one and inside(directory, one) for one in sources) else []) + [one for one in below if one]


def mounts_code(service: dict[str, t.Any], directory: str) -> bool:
    """Return whether a service sees the app's code itself by a bind mount: its directory, or a folder with code."""
    return any(not one or holds_code(os.path.join(directory, one)) for one in mounted_sources(service, directory))


def holds_code(directory: str) -> bool:
    """Return whether a folder holds code of a Django app: manage.py or a package, not far from its top."""
    seen = 0
    for folder, folders, names in os.walk(directory):
        if "manage.py" in names or "__init__.py" in names:
            return True
        depth = folder[len(directory) :].count(os.sep)
        folders[:] = (
            [name for name in folders if name[:1] != "." and name != "node_modules"] if depth < CODE_DEPTH else []
        )
        seen += len(names)
        if seen > CODE_LOOKED_AT:
            return False  # thousands of uploads, say
    return False


def all_mount_code(config: dict[str, t.Any], names: tuple[str, ...], directory: str) -> bool:
    """Return whether each of these services, as far as there are such, sees the app's directory itself."""
    return all(mounts_code(config["services"][name], directory) for name in names if name in config["services"])


def build_files(service: dict[str, t.Any], directory: str) -> tuple[str, str]:
    """Return a service's build context and its Dockerfile, from the top of the app's directory; nothing outside it."""
    build = service.get("build") or {}
    context = os.path.normpath(build.get("context") or "/")
    if not build or not inside(context, directory):
        return "", ""
    named = os.path.normpath(os.path.join(context, build.get("dockerfile") or "Dockerfile"))
    relative = moved(context, directory, "").lstrip("/")
    return relative, moved(named, directory, "").lstrip("/") if inside(named, directory) else ""


def mounted_elsewhere(config: dict[str, t.Any], mine: tuple[str, ...], directory: str) -> tuple[tuple[str, str], ...]:
    """Return what other services have mounted of the app's directory, from its top, each with the service."""
    return tuple(
        (moved(one["source"], directory, "").lstrip("/"), name)
        for name, service in sorted((config.get("services") or {}).items())
        for one in service.get("volumes") or []
        if name not in mine
        and one.get("type") == "bind"
        and one["source"] != directory
        and inside(one.get("source", ""), directory)
    )
