# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a deploy of the project from working, each with the change that it needs. Private to juno.deploy.

What a deploy refuses is asked of the very functions by which it does, so that both say the same.
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_mounts,
    disk,
    port_kind,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._init import settings
from ansible_collections.juno.deploy.plugins.module_utils._plan import inspect_compose, proxy_plan, strategy_plan
from ansible_collections.juno.deploy.plugins.module_utils._proxy import files

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app import engine
    from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Facts


def find(facts: Facts, containers: list[engine.Container]) -> list[str]:
    """Return what a deploy would refuse, or could not do."""
    app, config, base_url = facts.app, facts.config, facts.given.base_url or facts.traefik
    running = [one for one in containers if one.state == "running"]
    required: list[t.Callable[[], t.Any]] = [
        *inspect_compose.requirements(app, base_url, config, containers),
        lambda: worker_services.require_declared(app, config, app.path),
        lambda: files.require_read(app),
        lambda: strategy_plan.require_handing_on(app, facts.strategy["strategy"], running),
        lambda: disk.require_room(app),
    ]
    if len(compose.published(facts.service)) > 1 and not base_url and not facts.front.base_urls:
        required.append(lambda: proxy_plan.require_address(app.service, facts.service, "", port_kind.kind))
    found = []
    for require in required:
        try:
            require()
        except JunoError as exc:
            found.append(exc.message)
    return [*other_name(facts), *found, *no_build(facts)]


def other_name(facts: Facts) -> list[str]:
    """Tell of containers that were started under another name: a deploy would start others beside them."""
    name = facts.started.project if facts.started else ""
    if not name or name == facts.app.project:
        return []
    text = (
        f"The containers of {facts.app.path} run as the compose project '{name}', and docker compose calls it "
        f"'{facts.app.project}' now: put COMPOSE_PROJECT_NAME={name} into its .env, so that a deploy finds them."
    )
    return [text]


def no_build(facts: Facts) -> list[str]:
    """Tell of a site that no commit changes: its image comes from elsewhere, and the code is in it."""
    service, name = facts.service, facts.app.service
    if service.get("build") or compose_mounts.mounts_code(service, facts.app.path):
        return []
    text = (
        f"'{name}' runs the image {service.get('image') or name}, which is not built from {facts.app.path}, and has no "
        f"code mounted from there, so no commit changes it: give '{name}' a 'build' in the compose file."
    )
    return [text]


def of_django(facts: Facts) -> list[str]:
    """Tell of settings by which the site can't be asked behind a proxy, or by the name that is set."""
    site, name = facts.django, str(facts.given.others.get("host_header") or "")
    if site is None:
        return []
    found = []
    if name and not settings.is_allowed(name.partition(":")[0], site.allowed_hosts):
        found.append(
            f"ALLOWED_HOSTS ({', '.join(site.allowed_hosts) or 'empty'}) has not {name}, by which the checks ask, so "
            "each would be refused: name it there, or set 'headers' to one that is in it."
        )
    return found if not site.redirects_to_https or site.trusts_forwarded_proto else [*found, _no_header()]


def _no_header() -> str:
    return (
        "SECURE_SSL_REDIRECT is on and SECURE_PROXY_SSL_HEADER does not say how a request by TLS is known, so behind a "
        "proxy each page leads to https for ever: set it to ('HTTP_X_FORWARDED_PROTO', 'https')."
    )
