# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a large build context consists of. Private to juno.deploy: no stable interface.

A release is built from a clean checkout, so that only what git has can be sent to the Engine; BuildKit sends what COPY
names of it, anew for each build.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose_mounts
from ansible_collections.juno.deploy.plugins.module_utils._rules import dockerfile

if t.TYPE_CHECKING:
    from collections.abc import Iterable

#: From so many bytes on it is told.
LARGE = 50_000_000
#: So many of its files and folders are named.
NAMED = 3
_STEP = re.compile(r"^#(\d+) \[(?:[^\]]* )?internal\] load build context", re.MULTILINE)
_SENT = re.compile(r"^#(\d+) transferring context: ([\d.]+)([kMGT]?)B ", re.MULTILINE)
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def largest_sent(output: str) -> float:
    """Return the bytes of the largest context that a build has sent, by BuildKit's plain output; 0: it tells none."""
    steps = set(_STEP.findall(output))
    sent = (float(number) * _UNITS[unit] for step, number, unit in _SENT.findall(output) if step in steps)
    return max(sent, default=0.0)


def notices(output: str, services: dict[str, dict[str, t.Any]], directory: str, checkout: str) -> list[str]:
    """Return a sentence for each large context that a build has sent, with what it consists of.

    :param services: those that were built, as they are below the app's directory.
    :param checkout: where that is while it is built.
    """
    sent = largest_sent(output)
    if sent < LARGE:
        return []
    found: dict[str, dict[str, int]] = {}
    for service in services.values():
        context, recipe = compose_mounts.build_files(service, directory)
        if recipe and context not in found:
            found[context] = sizes(os.path.join(checkout, context), os.path.join(checkout, recipe))
    return [_sentence(context, sent, parts) for context, parts in found.items() if sum(parts.values()) >= LARGE]


def sizes(directory: str, recipe: str) -> dict[str, int]:
    """Return the bytes of what lies in a context and in the folders at its top, without what .dockerignore names."""
    ignored = dockerfile.Ignored(_read((f"{recipe}.dockerignore", os.path.join(directory, ".dockerignore"))))
    found: dict[str, int] = {}
    for place, _folders, names in os.walk(directory):
        for name in names:
            file = os.path.join(place, name)
            path = os.path.relpath(file, directory)
            if not ignored(path):
                top = "/".join(path.split("/")[:2])
                found[top] = found.get(top, 0) + os.lstat(file).st_size
    return found


def _read(paths: Iterable[str]) -> str:
    for path in paths:
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read()
    return ""


def _sentence(context: str, sent: float, parts: dict[str, int]) -> str:
    largest = sorted(parts, key=lambda name: -parts[name])[:NAMED]
    named = ", ".join(f"{name} {_megabytes(parts[name])}" for name in largest)
    ignore = os.path.join(context, ".dockerignore")
    return (
        f"{_megabytes(sent)} of the build context are sent to the Engine for each build (its largest: {named}): "
        f"name in {ignore} what no image needs."
    )


def _megabytes(size: float) -> str:
    return f"{size / 10**6:.0f} MB"
