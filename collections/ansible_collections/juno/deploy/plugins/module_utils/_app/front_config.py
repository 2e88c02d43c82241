# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front proxy's configuration says: its text, and where it asks the site. Private to juno.deploy."""

from __future__ import annotations

import json
import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts, image_command
from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files

if t.TYPE_CHECKING:
    from collections.abc import Iterator

#: A configuration is a small file, not far from the top of what is mounted or built.
MOST_BYTES, MOST_FILES, DEPTH = 64 * 1024, 200, 3


#: How nginx and its like are told to keep pages.
_KEEPS = re.compile(r"(?m)^\s*(?:proxy|uwsgi)_cache\s+(?!off\b)[\w$]+\s*;|^\s*CacheEnable\s+\w+")


def keeps_pages(text: str) -> bool:
    """Return whether a configuration lets the front proxy keep pages in a cache of its own."""
    return bool(_KEEPS.search(text))


def asked_ports(text: str, names: tuple[str, ...]) -> list[int]:
    """Return the ports at which a configuration asks one of these names, each as often as it stands there."""
    every = "|".join(map(re.escape, names))
    text = re.sub(r"(?m)^\s*#.*$", "", text)
    return [int(one) for one in re.findall(rf"(?<![\w.-])(?:{every}):(\d{{1,5}})\b", text) if 0 < int(one) < 65536]


def texts(config: dict[str, t.Any], service: dict[str, t.Any], directory: str) -> Iterator[str]:
    """Return all that tells how a proxy is configured."""
    yield json.dumps([service.get(key) for key in ("command", "entrypoint", "environment", "labels")])
    for said in _named(config, service):
        yield str(said.get("content") or "")
    yield str((service.get("build") or {}).get("dockerfile_inline") or "")
    for name in sources(config, service, directory):
        yield from (read(directory, one) for one in files(directory, name))


def sources(config: dict[str, t.Any], service: dict[str, t.Any], directory: str) -> list[str]:
    """Name the files and folders of a directory that a proxy may have its configuration of, from its top."""
    paths = [one["source"] for one in service.get("volumes") or [] if one.get("type") == "bind" and one.get("source")]
    paths += [said["file"] for said in _named(config, service) if said.get("file")]
    context, dockerfile = compose_mounts.build_files(service, directory)
    if dockerfile:
        paths.append(os.path.join(directory, context) if context else directory)
    found = []
    for path in paths:
        if path != directory and compose_mounts.inside(path, directory):
            found.append(compose_mounts.moved(path, directory, "").lstrip("/"))
        elif path == directory and dockerfile:
            # Built from the top: not the whole site is its configuration.
            found += _copied(directory, dockerfile)
    return found


def _named(config: dict[str, t.Any], service: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the configs of a compose project that a service has."""
    known = config.get("configs") or {}
    names = [one if isinstance(one, str) else one.get("source") for one in service.get("configs") or []]
    return [known.get(one) or {} for one in names]


def _copied(directory: str, dockerfile: str) -> list[str]:
    """Return the plain names that a Dockerfile copies."""
    words = [word for line in lines(directory, dockerfile, ("COPY", "ADD")) for word in line.split()[1:-1]]
    return [word[2:] if word.startswith("./") else word for word in words if not re.search(r"[*$\[]|^\.?/?$|^--", word)]


def lines(directory: str, name: str, instructions: tuple[str, ...]) -> list[str]:
    """Return the lines of a Dockerfile of the checkout that begin with one of these instructions."""
    found = image_command.instructions(read(directory, name))
    return [line for line in found if line.upper().startswith(instructions)]


def files(directory: str, name: str) -> Iterator[str]:
    """Return the names of the files at a name: a file, or a folder of a few."""
    top, seen = os.path.join(directory, name), 0
    if not os.path.isdir(top):
        yield name
        return
    for folder, folders, names in os.walk(top):
        depth = folder[len(top) :].count(os.sep)
        folders[:] = sorted(one for one in folders if one[:1] != "." and depth < DEPTH)
        for one in sorted(names):
            seen += 1
            if seen > MOST_FILES:
                return
            yield os.path.relpath(os.path.join(folder, one), directory)


def read(directory: str, name: str) -> str:
    """Return a small text file of the checkout; nothing for what is none, or lies behind a link."""
    try:
        with safe_files.opened(directory, name) as file:
            body = file.read(MOST_BYTES + 1)
    except OSError:
        return ""
    return "" if len(body) > MOST_BYTES or b"\0" in body else body.decode("utf-8", "replace")
