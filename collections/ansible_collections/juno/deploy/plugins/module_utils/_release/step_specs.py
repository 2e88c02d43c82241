# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step of a release is to do: by its options, and by what was found before it. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options, strategies, uwsgi
from ansible_collections.juno.deploy.plugins.module_utils._build import build_spec
from ansible_collections.juno.deploy.plugins.module_utils._database import backup, migrations
from ansible_collections.juno.deploy.plugins.module_utils._proxy import maintenance
from ansible_collections.juno.deploy.plugins.module_utils._proxy import names as proxy_names
from ansible_collections.juno.deploy.plugins.module_utils._runtime import context, front_address
from ansible_collections.juno.deploy.plugins.module_utils._state import cache_versions
from ansible_collections.juno.deploy.plugins.module_utils._verify import verify_site

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._release.release import Release


def build(release: Release, args: dict[str, t.Any]) -> build_spec.BuildSpec:
    """Return what is built, and how it is checked."""
    begun, spec = release.begun, release.spec
    plan, build = begun["plan"], spec["build"]
    cache_version = args.get("cache_version") or begun["cache_version"]
    return build_spec.BuildSpec(
        commit=begun["git"]["target_commit"],
        build=plan["build"],
        check_command=tuple(build["check_command"]),
        build_timeout_seconds=build["build_timeout_seconds"],
        check_timeout_seconds=build["check_timeout_seconds"],
        collect=plan["collect"],
        frontend=tuple(build["frontend"]) if plan["frontend"] else (),
        translate=plan["translate"],
        readiness_path=_readiness_path(spec),
        headers=headers(release),
        more_headers=bool(spec["check_headers"]),
        # Elsewhere a new container is asked for them before it gets visitors.
        pages=() if strategies.named(plan["strategy"]).new_containers else tuple(spec["pages"]),
        cache_version=cache_versions.read(cache_version),
        clears=_cleared(spec["caches"]) if plan.get("clear") != "none" else None,
        boot_timeout_seconds=spec["boot_timeout_seconds"],
        update_services=tuple(spec["update_services"]),
        pulled=dict(plan.get("pulled") or {}),
        base_url=base_url(release),
    )


def _cleared(caches: dict[str, t.Any]) -> tuple[str, ...] | None:
    """Return which caches are cleared as the settings have them; nothing where that is done in another way."""
    if caches["method"] != "settings" or caches.get("command"):
        return None
    return tuple(caches.get("alias") or ())


def collect(release: Release) -> dict[str, t.Any]:
    """Return the parameters that collect all static files from scratch, and remove what nothing names."""
    spec, rules = release.spec, _static_rules(release.spec)
    return {
        **options.defaults({**options.DJANGO, **options.COLLECTSTATIC}),
        **rules,
        "force": True,
        "project": release.app.project,
        "service": release.app.service,
        "docker_host": release.app.docker_host or None,
        "settings": spec["caches"]["settings"],
        "timeout_seconds": spec["build"]["build_timeout_seconds"],
    }


def migrate(release: Release) -> migrations.MigrateSpec:
    """Return what is migrated, with the code of the new images."""
    built, request = release.result("build"), release.spec["migrate"]
    spec = _migrate_spec(release.begun["git"]["target_commit"], built["images"], request)
    return dataclasses.replace(spec, databases=(built.get("migrations") or {}).get("databases") or [])


def reverse(release: Release) -> migrations.MigrateSpec:
    """Return what is reversed, with the code that served."""
    begun = release.begun
    spec = _migrate_spec(begun["serving"]["commit"], begun["serving_images"], release.spec["migrate"])
    return dataclasses.replace(spec, to=begun["reverse_to"])


def _migrate_spec(commit: str, images: dict[str, str], request: dict[str, t.Any]) -> migrations.MigrateSpec:
    return migrations.MigrateSpec(
        commit,
        images,
        request["timeout_seconds"],
        backup=backup.BackupSpec(request["backup"], request["backup_timeout_seconds"]),
        lock_timeout_seconds=request["lock_timeout_seconds"],
    )


def switch(release: Release) -> context.SwitchSpec:
    """Return what the traffic moves to, and how."""
    begun, spec, proxy, how = release.begun, release.spec, release.spec["proxy"], release.spec["switch"]
    restarts = release.purpose == "restart"
    clears = not restarts and release.clears() == "all"
    return context.SwitchSpec(
        commit="" if restarts else begun["git"]["target_commit"],
        images=release.result("build").get("images") or begun.get("images") or {},
        strategy=begun["plan"]["strategy"],
        proxy_image=proxy["image"],
        proxy_pull=proxy["pull"],
        trusted_proxies=proxy_names.read_trusted(proxy["trusted_proxies"]),
        tcp_ports=tuple(proxy["tcp_ports"]),
        sitemap=spec["verify"]["sitemap"],
        sitemap_pages=spec["verify"]["sitemap_pages"],
        protect_git=how["protect_git"],
        base_url=base_url(release),
        headers=headers(release),
        readiness_path=_readiness_path(spec),
        # A front proxy that rewrites paths has pages that no container has.
        pages=tuple(spec["pages"]) if spec["verify"]["check_containers"] else (),
        grace_seconds=how["grace_seconds"],
        stream_grace_seconds=how["stream_grace_seconds"],
        boot_timeout_seconds=spec["boot_timeout_seconds"],
        settle_seconds=how["settle_seconds"],
        purge_bytecode=how["purge_bytecode"] and not restarts,
        bytecode_mode=how["bytecode_mode"],
        static_rules=_static_rules(spec),
        # A deploy has done so when it built.
        collect=release.purpose == "rollback" and begun["plan"]["collect"],
        cache_version=cache_versions.read(release.result("build").get("cache_version") or begun["cache_version"]),
        warm_paths=tuple(how["warm_paths"] or [one["path"] for one in spec["pages"]]),
        warm_rate=how["warm_rate"],
        update_services=tuple(spec["update_services"]) if release.purpose == "deploy" else (),
        caches=spec["caches"] if clears else {},
    )


def verify(release: Release) -> dict[str, t.Any]:
    """Return the parameters of the verification."""
    spec, switched, verify = release.spec, release.result("switch"), dict(release.spec["verify"])
    sent, header, asked = headers(release), verify.pop("release_header"), switched["base_url"]
    urls = (release.begun.get("compose") or {}).get("front_urls")
    if urls and release.begun.get("site") and not _served(release):
        # Nobody could tell where the front proxy leads to before it ran.
        at = front_address.find(urls, sent, _readiness_path(spec))
        asked, sent = at.base_url, at.headers
    if urls and not spec["base_url"] and maintenance.is_on(release.app.proxy_directory):
        # Past the maintenance page is the site alone: its files may be the front proxy's.
        verify["check_assets"] = False
    params = {
        **options.defaults(verify_site.ARGUMENT_SPEC),
        **verify,
        "base_url": asked,
        # At an address of this host; what browsers would refuse is a finding.
        "validate_certs": False,
        "host": sent.get("Host"),
        "forwarded_proto": sent.get("X-Forwarded-Proto"),
        "pages": spec["pages"],
        "project": release.app.project,
        "service": release.app.service,
        "docker_host": release.app.docker_host or None,
        "answered_before": switched["answered_before"],
        # Where the project's front proxy asks by uWSGI's own protocol, so does the verification.
        "port": switched.get("uwsgi_port"),
        "protocol": uwsgi.SCHEME if switched.get("uwsgi_port") else None,
        "release": None,
    }
    if header and release.purpose != "restart":
        params["release"] = {"value": release.begun["git"]["target_commit"], "header": header, "pattern": None}
    return params


def _served(release: Release) -> bool:
    """Return whether the site ran before the release."""
    found = release.begun.get("containers") or []
    return any(one["service"] == release.app.service and one["state"] == "running" for one in found)


def _static_rules(spec: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "keep_releases": spec["record"]["keep_releases"],
        "html_max_age": spec["verify"]["html_max_age"],
        "prune": spec["switch"]["prune_static"],
    }


def headers(release: Release) -> dict[str, str]:
    """Return the headers that pages of the site are asked for with."""
    found = (release.begun.get("site") or {}).get("headers") or release.spec["headers"]
    return {str(name): str(value) for name, value in found.items()}


def base_url(release: Release) -> str:
    """Return the site's address on this host; empty where its own published port tells it, also of a commit to come."""
    return str(release.spec["base_url"] or (release.begun.get("site") or {}).get("base_url") or "")


def _readiness_path(spec: dict[str, t.Any]) -> str:
    return str(spec["pages"][0]["path"]) if spec["pages"] else "/"
