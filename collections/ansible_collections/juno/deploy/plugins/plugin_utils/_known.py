# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of steps that came along with another one's, kept until their tasks ask. Private to juno.deploy.

Each task runs in a worker of its own, so they are in a file, in the folder that ansible-playbook shares with them
and removes as it ends.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import typing as t
import urllib.parse

from ansible import constants

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    Result = dict[str, t.Any]


def keep(host: str, deployer: str, results: Iterable[Result]) -> None:
    """Keep the results of a host's deployer, each with the C(progress) that names its step."""
    found = {one["progress"]["step"]: one for one in results}
    if found:
        # Without them the tasks ask the deployer.
        with contextlib.suppress(OSError):
            _path(host, deployer).write_text(json.dumps({**_read(host, deployer), **found}), encoding="utf-8")


def take(host: str, deployer: str, step: str) -> Result | None:
    """Return the result of a step; nothing where it is not known."""
    return _read(host, deployer).get(step)


def _read(host: str, deployer: str) -> dict[str, Result]:
    try:
        known: dict[str, Result] = json.loads(_path(host, deployer).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known


def _path(host: str, deployer: str) -> pathlib.Path:
    name = urllib.parse.quote(f"juno-known-{host}-{deployer}", safe="")
    return pathlib.Path(constants.DEFAULT_LOCAL_TMP) / name
