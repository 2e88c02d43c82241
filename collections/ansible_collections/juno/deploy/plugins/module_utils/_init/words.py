# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found and needs no variable, and what a deploy would do with it, in words. Private to juno.deploy."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    dependencies,
    django_service,
    front_proxy,
    worker_services,
)
from ansible_collections.juno.deploy.plugins.module_utils._base import strategies
from ansible_collections.juno.deploy.plugins.module_utils._info import django_info_findings, django_info_words
from ansible_collections.juno.deploy.plugins.module_utils._init import backends, further_workers, settings
from ansible_collections.juno.deploy.plugins.module_utils._plan import plan_text

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Facts

#: What a strategy means for visitors.
_HOW = {
    True: "nobody is answered for a moment, which is measured",
    False: "no request is lost",
}


def found(facts: Facts) -> list[str]:
    """Return what was found and is as the defaults have it, a line for each subject."""
    lines = [*_release(facts), *_django(facts)]
    if facts.app.service:
        lines += [*_front(facts), *_workers(facts)]
    lines += [*_databases(facts), *_caches(facts), *_others(facts)]
    lines += [*_static(facts), *_https(facts)] if facts.app.service else []
    return [*lines, *_git(facts)]


def _release(facts: Facts) -> Iterator[str]:
    if facts.release:
        yield f"release: {facts.release} serves, deployed by juno.deploy"


def _django(facts: Facts) -> Iterator[str]:
    for one in facts.chosen:
        if one.name == settings.SERVICE:  # of another name it is a variable
            yield f"Django: {settings.why_service(facts, one)}"
    known = {*facts.app.services, *(one.name for one in facts.chosen)}
    if others := [f"'{one.name}' {one.why}" for one in facts.candidates if one.name not in known]:
        yield f"by its looks Django, too: {', '.join(others)}"
    if facts.app.service and not facts.chosen:
        yield f"Django: '{facts.app.service}', though nothing tells what it runs"
    if not facts.app.service:
        return
    if port := django_service.port_of(facts.config, facts.app.service, facts.front):
        yield f"port: {port} in the containers of '{facts.app.service}'"
    if facts.django:
        yield f"settings: {django_info_words.django(facts.django.info)}"
        yield f"server: {django_info_words.server(facts.django.info['server'])}"
    elif facts.why_not_asked:
        yield f"the site's settings: not asked, since {facts.why_not_asked.rstrip('.')}"


def _front(facts: Facts) -> Iterator[str]:
    front, name = facts.front, facts.app.service
    address = facts.given.base_url or facts.traefik or front_proxy.base_url(facts.config, name, facts.app.path)
    if front:
        at = f", asks {name}:{front.ports[0]}" if front.ports else ""
        at += " as its labels say" if front.routes else ""
        at += " by uWSGI's own protocol" if set(front.ports[:1]) & front.uwsgi else ""
        tls = "; TLS ends there" if any(one.startswith("https:") for one in front.base_urls) else ""
        where = f", takes visitors at {', '.join(front.base_urls)}{tls}" if front.base_urls else ""
        yield f"front proxy: {front.words().rstrip(',')}{at}{where}"
        if (front.base_urls or facts.traefik) and not facts.given.base_url:
            yield f"address that the checks ask: {address}, and where it redirects to on this host"
    elif address:
        yield f"front proxy: none in the project; '{name}' itself answers at {address}"
    for who in dict.fromkeys(facts.held.values()):
        numbers = " and ".join(str(port) for port, name in facts.held.items() if name == who)
        yield f"beside the project: {who}, holds port {numbers} of this host"


def _workers(facts: Facts) -> Iterator[str]:
    yield f"workers: {worker_services.words(dict(facts.workers), facts.app.service) or 'none'}"
    if clocks := further_workers.schedulers(facts):
        yield f"scheduler: {', '.join(clocks)}; the old one ends before the new one starts"
    if once := dependencies.tasks_of_a_release(facts.config, facts.app.services):
        yield f"run once with each release: {', '.join(once)}"


def _databases(facts: Facts) -> Iterator[str]:
    known = {kind: facts.backends[kind] for kind in backends.DATABASES if kind in facts.backends}
    services = ", ".join(f"{kind} ('{name}')" for kind, names in known.items() for name in names)
    engines = sorted({one.rpartition(".")[2] for one in facts.django.databases.values() if one}) if facts.django else []
    if engines:
        yield f"database: {services or 'no service of the project'}; Django's engine is {', '.join(engines)}"
    elif facts.django:
        yield "database: Django has none"
    else:
        yield f"database: {services or 'no service of the project, so SQLite, or a server elsewhere'}"


def _caches(facts: Facts) -> Iterator[str]:
    kinds = (backends.MEMCACHED, backends.REDIS, backends.RABBITMQ)
    services = [f"{kind} ('{name}')" for kind in kinds for name in facts.backends.get(kind, [])]
    yield f"caches and queues: {', '.join(services) or 'no service of the project'}"
    if facts.django and facts.django.info["caches"]:
        places = [f"'{one['alias']}' is {one['backend'].rpartition('.')[2]}" for one in facts.django.info["caches"]]
        new = django_info_words.cache_version(facts.django.info["cache_version"])
        yield f"Django's caches: {', '.join(places)}; a new release {new}"


def _others(facts: Facts) -> Iterator[str]:
    known = {
        *facts.app.services,
        *facts.front.services,
        *facts.front.routers,
        *(one for names in facts.backends.values() for one in names),
    }
    known |= {one.name for one in facts.candidates}
    known |= set(dependencies.tasks_of_a_release(facts.config, facts.app.services)) if facts.app.service else set()
    others = [name for name in facts.config["services"] if name not in known]
    if others:
        yield f"other services: {', '.join(others)}; a deploy leaves them as they are"


def _static(facts: Facts) -> Iterator[str]:
    name, words = facts.app.service, list[str]()
    if facts.django:
        words.append(django_info_words.static(facts.django.info["static"]))
    shared = shared_with_front(facts)
    if shared:
        words.append(f"'{shared[0]}' shares {shared[1]} with '{name}', to serve them from there")
    elif facts.django and "whitenoise" in facts.django.info["static"]["storage"]:
        words.append("the site serves them itself (WhiteNoise)")
    if compose.says(facts.service, "collectstatic"):
        words.append(f"'{name}' collects them itself as it starts, so a deploy doesn't")
    yield f"static files: {'; '.join(words) or 'compose tells nothing about them'}"


def shared_with_front(facts: Facts) -> tuple[str, str] | None:
    """Return a front proxy and the volume or folder that it shares with the site, if there is one."""
    mine = {one.get("source") for one in facts.service.get("volumes") or [] if one.get("source")}
    for name in facts.front.services:
        for one in facts.config["services"][name].get("volumes") or []:
            if one.get("source") in mine:
                what = "the volume" if one.get("type") == "volume" else "the folder"
                return name, f"{what} {one['source']}"
    return None


def _https(facts: Facts) -> Iterator[str]:
    if facts.django:
        redirects = "on" if facts.django.redirects_to_https else "off"
        hosts = ", ".join(facts.django.allowed_hosts) or "none"
        yield f"SECURE_SSL_REDIRECT: {redirects}; ALLOWED_HOSTS: {hosts}"


def _git(facts: Facts) -> Iterator[str]:
    git = facts.git
    if git.remote:
        yield f"git: branch {git.branch} of {git.remote} ({git.url})"


def deploys(facts: Facts) -> list[str]:
    """Return what a deploy, and a quick one, would do, and what a person should know before."""
    if not facts.strategy:
        return list(facts.notices)
    lines = [_strategy("deploy", facts.strategy), _strategy("quick_deploy", facts.quick_strategy)]
    if facts.strategy["first_proxy"]:
        lines.append(f"the first deploy: {plan_text.FIRST_PROXY}")
    if facts.strategy["front_recreated"]:
        front = ", ".join(facts.strategy["front_recreated"])
        lines.append(f"the first deploy: {plan_text.FRONT_RECREATED.format(front=front)}")
    if facts.strategy["routes_moved"]:
        lines.append(f"the first deploy: {plan_text.ROUTES_MOVED.format(front=facts.strategy['routes_moved'])}")
    needs_proxy = strategies.named(facts.strategy["strategy"]).needs_proxy
    if facts.pulls_proxy and needs_proxy:
        lines.append(
            f"the first deploy: the proxy's image {facts.given.proxy_image} is not on this host and is pulled; where "
            "that can't be, name another with HAProxy 2.4 or later in 'proxy.image'"
        )
    return [*lines, *facts.notices]


def _strategy(what: str, plan: t.Mapping[str, t.Any]) -> str:
    reasons, gap = "".join(f"; {one}" for one in plan["strategy_reasons"]), strategies.named(plan["strategy"]).has_gap
    remedy = "; with that changed no request would be lost" if gap and reasons else ""
    return f"{what}: by {plan['strategy']}, {_HOW[gap]}{reasons}{remedy}"


def look_at(facts: Facts) -> list[str]:
    """Return what is wrong with the site as it is, the gravest first; a deploy works all the same."""
    if not facts.django and any(one.server == "runserver" for one in facts.chosen):
        return [django_info_findings.DEVELOPMENT_SERVER]
    findings = facts.django.findings if facts.django else ()
    return [one.text for one in findings if one.level in ("danger", "problem")]
