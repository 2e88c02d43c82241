# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify that a site serves what it must, as options say. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import dataclasses
import functools
import time
import typing as t
import urllib.parse
import uuid

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.http import certificate_fault, fetch, resolve
from ansible_collections.juno.deploy.plugins.module_utils._base.site import Site, parse_site
from ansible_collections.juno.deploy.plugins.module_utils._verify import containers, model, report
from ansible_collections.juno.deploy.plugins.module_utils._verify.release_mark import parse_mark
from ansible_collections.juno.deploy.plugins.module_utils._verify.verify import Verification
from ansible_collections.juno.deploy.plugins.module_utils._verify.verify_spec import VerifySpec, check_figures

if t.TYPE_CHECKING:
    from collections.abc import Callable

RELEASE_SPEC: options.Spec = {
    "value": {"type": "str", "required": True},
    "header": {"type": "str", "default": "X-Release"},
    "pattern": {"type": "str"},
}
ARGUMENT_SPEC: options.Spec = {
    "base_url": {"type": "str", "required": True},
    "host": {"type": "str"},
    **options.FORWARDED,
    **options.CHECK_HEADERS,
    "pages": {"type": "list", "elements": "dict", "required": True, "options": options.PAGE},
    "wait_seconds": {"type": "float", "default": 0},
    "timeout_seconds": {"type": "float", "default": 10},
    "max_assets": {"type": "int", "default": 200},
    "max_body_bytes": {"type": "int", "default": 8 * 1024 * 1024},
    "follow_redirects": {"type": "bool", "default": False},
    "validate_certs": {"type": "bool", "default": True},
    **options.CHECKS,
    "found_seconds": {"type": "float", "default": 5},
    "answered_before": {"type": "list", "elements": "str"},
    **options.COMPOSE,
    "service": options.SERVICE,
    "port": {"type": "int"},
    "protocol": {"type": "str", "choices": ["http", "uwsgi"]},
    "release": {"type": "dict", "options": RELEASE_SPEC},
}


def spec_of(params: dict[str, t.Any]) -> VerifySpec:
    """Read what is to be asked.

    :raises BadInputError: an option makes no sense.
    """
    check_figures(params)
    return VerifySpec(
        pages=tuple(model.parse_pages(params["pages"])),
        wait_seconds=params["wait_seconds"],
        max_assets=params["max_assets"] if params["check_assets"] else 0,
        follow_redirects=params["follow_redirects"],
        html_max_age=params["html_max_age"],
        token=uuid.uuid4().hex if params["compare"] else "",
        mark=parse_mark(params["release"]),
        sitemap=params["sitemap"],
        sitemap_pages=params["sitemap_pages"],
        found_seconds=params["found_seconds"],
        answered_before=None if params["answered_before"] is None else frozenset(params["answered_before"]),
    )


def look(params: dict[str, t.Any], spec: VerifySpec) -> containers.Seen:
    """Ask the Engine what it knows of the site.

    :raises EngineError: it does not answer, or no container of the service runs.
    """
    question = containers.Question(
        params["project"],
        params["service"],
        port=params["port"] or 0,
        scheme=params["protocol"] or "",
        containers=params["check_containers"],
        log_pages=params["log_pages"],
        manifest=params["manifest"],
        outside=urllib.parse.urlsplit(params["base_url"]).port or 80,
    )
    return containers.look(engine.connect(params["docker_host"]), question, spec.paths)


def verify(params: dict[str, t.Any], warn: Callable[[str], t.Any]) -> dict[str, t.Any]:
    """Check the site and give what was seen.

    :param params: the options of C(ARGUMENT_SPEC).
    :raises JunoError: something was wrong with a page or a file.
    """
    spec = spec_of(params)
    site = parse_site(
        params["base_url"],
        host=params["host"],
        forwarded_proto=params["forwarded_proto"] or "",
        timeout_seconds=params["timeout_seconds"],
        max_body_bytes=params["max_body_bytes"],
        validate_certs=params["validate_certs"],
    )
    where = functools.lru_cache(lambda name, port: resolve(name, port, site.timeout_seconds))

    def opened(one: Site) -> model.Get:
        return functools.partial(fetch, one, where(one.hostname, one.port))

    addresses = where(site.hostname, site.port)
    asked = site.scheme == "https" and not site.validate_certs
    refused = certificate_fault(dataclasses.replace(site, validate_certs=True), addresses) if asked else ""
    began = time.time()
    outcome = Verification(site, spec, opened, time.monotonic, time.sleep).check(
        functools.partial(look, params, spec) if params["project"] else None
    )
    if refused:
        problem = f"has a certificate that visitors' browsers refuse: {refused}"
        outcome.findings.append(model.Finding("certificate", site.base_url, problem, "warning", alone=True))
    result = {"began": began, **report.report(site, outcome, spec.mark)}
    warning, message = (tell(site, outcome.findings) for tell in (report.warning, report.summary))
    if warning:
        warn(warning)
    if message:
        raise JunoError(message, **result)
    return result
