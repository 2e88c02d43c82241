# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where docker compose would pull an image by itself, and how it is kept from that. Private to juno.deploy.

A release runs the image that was pulled for it, by its digest, and that was checked: its name may mean another one in
the registry by now.
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import files

if t.TYPE_CHECKING:
    from collections.abc import Iterable

#: With these an image is pulled where it is missing at most.
AT_MOST_MISSING = ("", "missing", "if_not_present", "never", "build")
#: With these it is taken as it is here, or built, whatever a registry has.
NEVER = ("never", "build")


def of(service: dict[str, t.Any]) -> str:
    """Return a service's pull_policy as its compose file has it, if any."""
    return str(service.get("pull_policy") or "")


def pulls(service: dict[str, t.Any]) -> bool:
    """Return whether compose pulls the image of a service that is here, when it creates a container."""
    return of(service) not in AT_MOST_MISSING


def words(config: dict[str, t.Any], names: Iterable[str]) -> list[str]:
    """Return what tells "docker compose up" to pull none of some services' images, all of which are here."""
    there = [config["services"][name] for name in names if name in config["services"]]
    return ["--pull", "never"] if any(map(pulls, there)) else []


def override(directory: str, name: str, service: dict[str, t.Any]) -> str:
    """Return an override that keeps "docker compose run" from it, which knows no such option; none where it needn't.

    :param directory: where it is written.
    """
    if not pulls(service):
        return ""
    path = os.path.join(directory, "no_pull.override.json")
    files.replace(path, json.dumps({"services": {name: {"pull_policy": "never"}}}))
    return path
