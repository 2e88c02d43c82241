# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the site's address leads to the site, before a release changes anything. Private to juno.deploy.

A wrong address would be noticed only when the release serves: nobody answers there, or another site does. It can be
told at once where the site serves already.
"""

from __future__ import annotations

import concurrent.futures
import socket
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_config, front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers, http
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Site, is_loopback, parse_site
from ansible_collections.juno.deploy.plugins.module_utils._proxy import maintenance
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, front_address, readiness_pages
from ansible_collections.juno.deploy.plugins.module_utils._verify import same_site

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner
    from ansible_collections.juno.deploy.plugins.module_utils._base.site import Answer
    from ansible_collections.juno.deploy.plugins.module_utils._verify import model

#: What serves gets so long for each answer.
SECONDS = 3.0


def require(run: Runner, app: App, spec: dict[str, t.Any], found: dict[str, t.Any]) -> None:
    """See that the site is asked where it is, if that was set, or is a front proxy's.

    :param spec: the options of a release, with the address that a front proxy told.
    :raises JunoError: the address is none, nobody listens there, or what answers there is not the site.
    """
    serving = [one for one in found["containers"] if one["service"] == app.service and one["state"] == "running"]
    if not spec["base_url"] or not serving or not found["plan"]["deploy"] or maintenance.is_on(app.proxy_directory):
        return
    headers = front_address.as_text(spec["headers"])
    site = parse_site(
        spec["base_url"],
        host=headers.get("Host"),
        forwarded_proto=headers.get("X-Forwarded-Proto", ""),
        timeout_seconds=SECONDS,
        validate_certs=False,
    )
    addresses = http.resolve(site.hostname, site.port, SECONDS)
    config = compose_config.read(run, app.compose())
    ports = {name: [port for _host, port in compose.published(one)] for name, one in config["services"].items()}
    # A front proxy of the project's own that does not run is mended by a commit, maybe by this one.
    if site.port not in {port for published in ports.values() for port in published}:
        _require_listener(app, site, addresses)
    pages = readiness_pages.parse(spec["pages"][:1])
    if not pages:
        return
    of_the_site = is_loopback(site.hostname) and site.port in ports.get(app.service, ())
    compared = bool(serving[0]["addresses"]) and spec["verify"]["check_containers"] and not of_the_site
    inside = _getter(app, config, pages, site, serving[0]["addresses"][0]) if compared else None
    if inside or site.scheme == "https" or check_headers.are_set():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(http.fetch, site, addresses, pages[0].path)
            own = inside(pages[0].path) if inside else None
            shown = asked.result()
        _require_answer(app, pages[0], site, shown)
        if inside and own:
            _require_the_site(pages[0], site, (shown, own), inside)


def _require_listener(app: App, site: Site, addresses: list[http.Address]) -> None:
    why = refused(addresses)
    if why:
        raise JunoError(
            f"Nobody listens at {site.base_url} ({why}), where the site is to be asked, though '{app.service}' serves: "
            "correct 'base_url', or start what is to listen there. Nothing was changed."
        )


def _require_answer(app: App, page: model.Page, site: Site, answer: Answer) -> None:
    """Refuse an address that speaks no TLS though it is to, and headers with which the login is refused."""
    if answer.failure.startswith(http.NO_TLS):
        raise JunoError(
            f"What listens at {site.base_url} speaks no TLS ({answer.failure}), though '{app.service}' serves: correct "
            "'base_url' (http:// where TLS ends elsewhere). Nothing was changed."
        )
    hint = check_headers.hint(answer.status, answer.headers) if check_headers.are_set() else ""
    if hint and page.status != answer.status:
        raise JunoError(f"{page.path} at {site.base_url} answers {answer.status}: {hint}. Nothing was changed.")


def refused(addresses: list[http.Address]) -> str:
    """Return why nobody listens at any of some addresses, in words; nothing where somebody does, or may."""
    why = ""
    for family, kind, protocol, _name, address in addresses:
        with socket.socket(family, kind, protocol) as link:
            link.settimeout(SECONDS)
            try:
                link.connect(address)
            except socket.timeout:  # noqa: UP041 - no TimeoutError before Python 3.10
                return ""
            except OSError as exc:
                why = http.describe(exc, SECONDS)[0]
            else:
                return ""
    return why


def _getter(
    app: App, config: dict[str, t.Any], pages: tuple[model.Page, ...], site: Site, address: str
) -> readiness_pages.Get | None:
    """Return what asks a container for a page as it is asked for at the front door; nothing where no port is known."""
    proxy = front_proxy.find(config, app.service, app.path)
    port = next(iter(proxy.ports), 0) or compose.target_port(config["services"][app.service], site.base_url)
    if not port:
        return None
    proto = site.forwarded_proto or ("https" if site.scheme == "https" else "")
    questions = readiness_pages.PageChecks(pages, context.host_of({"Host": site.host}, site.base_url), proto)
    return readiness_pages.getter(address, port, questions, SECONDS, proxy.scheme(port))


def _require_the_site(
    page: model.Page, site: Site, answers: tuple[Answer, Answer], inside: readiness_pages.Get
) -> None:
    """Compare a page at the front door with that of a container."""
    shown, own = answers
    wrong = same_site.difference(page, shown, own)
    # A page that is another one each time tells nothing.
    if wrong and not same_site.difference(page, inside(page.path), own):
        raise JunoError(
            f"{page.path} at {site.base_url}, asked as Host '{site.host}', is not the site's page: it {wrong}; "
            f"{same_site.CURE}. Nothing was changed."
        )
