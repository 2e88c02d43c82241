# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan says about the other services. Private to juno.deploy."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.module_utils._plan.other_service import BEHIND, NEEDED, Service


def consequence(one: Service) -> str:
    """Return what visitors feel while a service is replaced."""
    if one.role == NEEDED:
        return "the site waits for it and may answer errors meanwhile"
    if one.role == BEHIND and one.publishes:
        return "nobody is answered at its ports meanwhile"
    return "it is away meanwhile"


def words(services: list[Service], site: str, *, site_runs: bool) -> list[str]:
    """Return what is done to the other services, and what isn't though it might be expected."""
    return [line for one in services for line in _words(one, site, site_runs=site_runs) if line]


def _words(one: Service, site: str, *, site_runs: bool) -> list[str]:
    lines = []
    if one.state == "absent":
        if one.starts:
            why = f"since {site} depends on it" if one.role == NEEDED else "as docker compose up does"
            return [f"{one.name} has no container yet: it is started, {why}"]
        return [
            f"Notice: {one.name} has no container, and is left alone (docker compose up --detach {one.name} starts it)"
        ]
    if one.differs and not one.once:
        what = f"{one.name}: {' and '.join(one.differs)}"
        if one.asked:
            lines.append(f"{what}: it is replaced, as 'update_services' asks; {consequence(one)}")
        else:
            lines.append(
                f"Notice: {what}, and it is not touched ('update_services: [{one.name}]' replaces it; "
                f"{consequence(one)})"
            )
    elif one.asked and not one.once and not one.built:
        lines.append(f"{one.name}: its image is pulled, and a newer one replaces it; {consequence(one)}")
    return [*lines, *_of_stopped(one, site, site_runs=site_runs)]


def _of_stopped(one: Service, site: str, *, site_runs: bool) -> list[str]:
    if one.once or one.state == "running" or one.asked:
        return []
    if one.state == "restarting":
        return [f"Notice: {one.name} ends again and again ({one.status}): its log tells why"]
    if one.role == NEEDED and not site_runs:
        return [f"{one.name} is stopped ({one.status}): it is started, since {site} depends on it"]
    if one.may_end and one.status.startswith("Exited (0)"):
        return []
    return [f"Notice: {one.name} is stopped ({one.status}), and is left alone"]
