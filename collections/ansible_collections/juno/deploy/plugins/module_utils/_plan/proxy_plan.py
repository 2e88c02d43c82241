# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy will do to the proxy: said, and made possible, before anything is built. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import (
    compose,
    compose_config,
    engine,
    front_proxy,
    port_kind,
)
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._base.text import docs_page
from ansible_collections.juno.deploy.plugins.module_utils._proxy import compose_override, files, haproxy, names
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, proxy_container

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

RELOADED = "the proxy's configuration changes; HAProxy takes it over without loss"
ADDRESSES = (
    "behind the proxy REMOTE_ADDR is its address, and a visitor's is in X-Forwarded-For, which is believed {whom} "
    "('proxy.trusted_proxies')"
)


@dataclasses.dataclass(frozen=True)
class ProxyRequest:
    """What a person asked for."""

    image: str
    pull: bool = False
    trusted_proxies: tuple[str, ...] = names.TRUSTED
    tcp_ports: tuple[int, ...] = ()
    base_url: str = ""

    def spec(self, strategy: str) -> context.SwitchSpec:
        """Return the spec of a switch, as far as it is about the proxy."""
        return context.SwitchSpec(
            commit="",
            images={},
            strategy=strategy,
            proxy_image=self.image,
            base_url=self.base_url,
            headers={},
            readiness_path="/",
            grace_seconds=0,
            boot_timeout_seconds=0,
            settle_seconds=0,
            trusted_proxies=self.trusted_proxies,
            tcp_ports=self.tcp_ports,
            proxy_pull=self.pull,
        )


def request_of(params: dict[str, t.Any] | None, base_url: str) -> ProxyRequest | None:
    """Read the options of C(_base.options.PROXY); nothing where none were given.

    :raises BadInputError: a source that is to be trusted is no network.
    """
    if not params:
        return None
    trusted = names.read_trusted(params["trusted_proxies"])
    return ProxyRequest(params["image"], params["pull"], trusted, tuple(params["tcp_ports"]), base_url)


def prepare(
    run: Runner, app: App, request: ProxyRequest, strategy: str, *, dry: bool, config: dict[str, t.Any] | None = None
) -> list[str]:
    """Make sure that the proxy can be had, before anything is built; return what will happen to it.

    :param config: the configuration by the compose files of the commit that comes; without it, that of the checkout.
    :raises JunoError: there is no address to ask the site at, or the proxy's image can't be pulled.
    """
    config, client = config or compose_config.read(run, app.compose()), engine.connect(app.docker_host)
    service = config["services"][app.service]
    front = front_proxy.find(config, app.service, app.path)
    require_address(app.service, service, request.base_url or front.base_url, port_kind.kind)
    work = context.SwitchContext(run, app, request.spec(strategy), client, config, [])
    proxies = proxy_container.containers(work)
    how = work.spec.how
    if not how.new_containers or (not how.needs_proxy and not proxies):
        return []
    reason = names.why_not(service, front)
    if reason:
        raise BadInputError(
            f"The proxy stands before '{app.service}', and no longer can: {reason}. Correct the compose file, or take "
            f"the proxy away as {docs_page('strategies')} says; nothing was changed."
        )
    missing = not engine.image_id(client, request.image)
    if dry and (missing or request.pull):
        return [f"the proxy's image {request.image} is pulled first", *_about(work, proxies)]
    proxy_container.pull_image(run, client, request.image, pull=request.pull)
    return _about(work, proxies)


def require_address(name: str, service: dict[str, t.Any], base_url: str, ask: t.Callable[[str, int], str]) -> None:
    """Make sure that there is an address at which the site can be asked for pages.

    :raises BadInputError: there is none, or what is published first is not HTTP.
    """
    ports = compose.published(service)
    if base_url:
        context.make_readiness_request(base_url, "/", {})
        return
    if not ports:
        raise BadInputError(
            f"The service '{name}' publishes no port with a fixed number, so nothing tells where the site can be asked "
            "for pages: publish one in the compose file, or set 'base_url'; nothing was changed."
        )
    (host, port), *others = ports
    kind = ask(host, port) if others else ""
    if kind in (port_kind.TLS, port_kind.OTHER):
        raise BadInputError(
            f"The first port that the service '{name}' publishes, {port}, answers, but not by HTTP: set "
            f"'base_url' to the address of the site (http://{others[0][0]}:{others[0][1]}?); "
            "nothing was changed."
        )


def _about(work: context.SwitchContext, proxies: list[engine.Container]) -> list[str]:
    trusted = work.spec.trusted_proxies
    addresses = ADDRESSES.format(whom=f"from {', '.join(trusted)} only" if trusted else "from nobody")
    if not proxies:
        return [addresses] if work.service.get("ports") else []
    text = files.read(files.configuration(work.app.proxy_directory))
    named = {
        int(one["target"]) for one in work.service.get("ports") or [] if int(one["published"]) in work.spec.tcp_ports
    }
    proxy = proxy_container.describe(work, haproxy.tcp_targets(text) | named)
    wanted = haproxy.write(proxy)
    notices = []
    why = proxy_container.why_new(
        work.client, proxies, compose_override.definition(compose_override.override(proxy)), pull=work.spec.proxy_pull
    )
    if why:
        gap = "nobody is answered while the ports change hands, for some seconds"
        gap = gap if work.service.get("ports") else "some requests may fail meanwhile, for about a second"
        notices.append(f"the proxy is replaced, since its {' and its '.join(why)} changed; {gap}")
    elif wanted != text:
        notices.append(RELOADED)
    # A configuration from before has let every visitor say who he is.
    begins = text and haproxy.drops_forwarded(wanted) and not haproxy.drops_forwarded(text)
    return [*notices, addresses] if begins else notices
