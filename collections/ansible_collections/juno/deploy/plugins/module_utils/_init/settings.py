# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables differ from their defaults, by what was found, each with the reason. Private to juno.deploy."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import posixpath
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import compose, compose_mounts
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._init import backends, further_workers, look_at_git

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.django_service import Candidate
    from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Django, Facts

#: Defaults of the role that no module has.
MANIFEST = "staticfiles/staticfiles.json"
SERVICE = options.SERVICE["default"]
AS_SET = "as it is set already"


@dataclasses.dataclass(frozen=True)
class Setting:
    """A variable of the entry."""

    name: str
    value: t.Any
    why: str
    #: A suggestion, for a person to choose: it is written as a comment.
    off: bool = False


def of(facts: Facts) -> list[Setting]:
    """Return the variables, in the order of the entry; what a person has set goes before what was found."""
    found = [*_project(facts), *_service(facts), *_git(facts), *_site(facts)]
    # No folder is none that was set, and one may be proposed.
    others = {name: value for name, value in facts.given.others.items() if (name, value) != ("files", "")}
    given = [Setting(name, value, AS_SET) for name, value in others.items()]
    names = {one.name for one in given}
    pages = [] if "check_urls" in names else [_pages()]
    return [*(one for one in found if one.name not in names), *given, *pages]


def _set(facts: Facts, name: str, default: t.Any) -> Iterator[Setting]:
    """Return a variable that a person has set to something else than the default."""
    found = getattr(facts.given, name)
    value = list(found) if isinstance(found, tuple) else found
    if value != default:
        yield Setting(name, value, AS_SET)


def _project(facts: Facts) -> Iterator[Setting]:
    app, name = facts.app, facts.app.project
    files = ", ".join(facts.files)
    yield Setting("path", app.path, f"found: the compose project '{name}' ({files})")
    # As the role makes it of the path.
    usual = re.sub("[^a-z0-9_-]", "", os.path.basename(app.path).lower())
    if name != usual:
        yield Setting("project", name, f"found: docker compose calls the project so, not '{usual}'")
    if app.compose_files:
        by_hand = f"found: the containers were started by these (docker compose -f {files.replace(', ', ' -f ')})"
        yield Setting("compose_files", list(app.compose_files), AS_SET if facts.given.compose_files else by_hand)
    yield from _set(facts, "docker_host", "")
    yield from _set(facts, "state_root", options.STATE_ROOT)


def why_service(facts: Facts, one: Candidate) -> str:
    """Return what a service that looks like Django shows: what it runs, and who reaches it."""
    where = f" ({one.where})" if one.where else ""
    asked = [f"{name} asks {one.name}:{port}" for name, port in _asked(facts, one.name)]
    numbers = [str(number) for _host, number in compose.published(facts.config["services"][one.name])]
    reached = [f"publishes {', '.join(numbers)}"] if numbers else []
    return ", ".join([f"'{one.name}' {one.why}{where}", *reached, *asked])


def _asked(facts: Facts, name: str) -> list[tuple[str, int]]:
    front = facts.front if name == facts.app.service else None
    return [(one, front.ports[0]) for one in front.services if front.ports] if front else []


def _service(facts: Facts) -> Iterator[Setting]:
    name = facts.app.service
    if not name:
        for one in facts.chosen:
            yield Setting("service", one.name, f"choose: {why_service(facts, one)}", off=True)
    elif name != SERVICE:
        signs = [f"found: {why_service(facts, one)}" for one in facts.chosen]
        yield Setting("service", name, AS_SET if facts.given.service else next(iter(signs), AS_SET))
    further = further_workers.find(facts)
    if facts.given.worker_services:
        yield from _set(facts, "worker_services", [])
    elif further:
        what = "; ".join(f"'{one}' {why}" for one, why in further.items())
        yield Setting(
            "worker_services",
            list(further),
            f"found: {what}, and shares nothing with '{name}' by which a deploy knows a worker",
        )
    yield from _set(facts, "exclude_services", [])


def _git(facts: Facts) -> Iterator[Setting]:
    git, given = facts.git, facts.given
    if git.none and not given.others.get("files"):
        name = posixpath.basename(facts.app.path)
        why = "a folder on the machine that deploys with what is to be deployed, looked for from the inventory's folder"
        yield Setting("files", name, why, off=True)
    if git.remote and git.remote != look_at_git.REMOTE:
        yield Setting("remote", git.remote, AS_SET if given.remote else "found: the remote that the branch follows")
    if git.branch and git.branch != look_at_git.BRANCH:
        yield Setting("branch", git.branch, AS_SET if given.branch else "found: the branch of the checkout")


def _site(facts: Facts) -> Iterator[Setting]:
    yield from _set(facts, "strategy", options.default(options.PLAN, "strategy"))
    yield from _set(facts, "proxy_image", options.default(options.PROXY, "image"))
    if facts.traefik and not facts.given.base_url:
        yield Setting("base_url", facts.traefik, f"found: Traefik, which goes by the labels of '{facts.app.service}'")
    yield from _set(facts, "base_url", "")
    caches = facts.backends.get(backends.MEMCACHED, [])
    if len(caches) == 1 and caches[0] != options.default(options.CACHES, "service"):
        yield Setting("memcached_service", caches[0], f"found: '{caches[0]}' runs memcached")
    if facts.django:
        yield from _of_django(facts, facts.django)


def _hosts(site: Django) -> Iterator[Setting]:
    names = public_names(site.allowed_hosts)
    if len(names) == 1:
        yield Setting("host_header", names[0], "found: the one name in ALLOWED_HOSTS; the checks ask by it")
    elif names and "127.0.0.1" not in site.allowed_hosts:
        # Without a name that is allowed each check would be refused.
        why = f"found in ALLOWED_HOSTS: {', '.join(names)}; the checks ask by the first of them"
        yield Setting("host_header", names[0], why)
    else:
        yield from (Setting("host_header", one, "choose: a name in ALLOWED_HOSTS", off=True) for one in names)


def _of_django(facts: Facts, site: Django) -> Iterator[Setting]:
    yield from _hosts(site)
    tls = any(one.startswith("https:") for one in facts.front.base_urls)
    if site.redirects_to_https and site.trusts_forwarded_proto and not tls:
        yield Setting("https", True, "found: SECURE_SSL_REDIRECT is on; the checks ask as if they came by TLS")
    other = (site.info["application"] or {}).get("settings")
    unnamed = not site.info["environment"]["settings_named"]
    if other and other != site.info["settings_module"] and unnamed and re.fullmatch(r"[\w.]+", other):
        why = f"found: the server's {site.info['application']['module']} names these, manage.py others"
        yield Setting("settings", other, why)
    manifest = manifest_of(site)
    if manifest and manifest != MANIFEST:
        yield Setting("static_manifest", manifest, "found: where Django's settings put the manifest of static files")


def manifest_of(site: Django) -> str:
    """Return the manifest of static files, from the working directory of the container where it is in there."""
    path = str((site.info["static"]["manifest"] or {}).get("path") or "")
    if not path or not re.fullmatch(r"[\w@./ +-]+", path):
        return ""
    inside = site.workdir and compose_mounts.inside(path, site.workdir)
    return posixpath.relpath(path, site.workdir) if inside else path


def public_names(allowed: Sequence[str]) -> list[str]:
    """Return the names by which visitors may ask; none where any will do."""
    if "*" in allowed:
        return []
    found = [name.lstrip(".").lower() for name in allowed]
    plain = [name for name in found if re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name)]
    return list(dict.fromkeys(name for name in plain if name != "localhost" and not _is_address(name)))


def is_allowed(name: str, allowed: Sequence[str]) -> bool:
    """Return whether Django answers for a name, as its C(validate_host) has it."""
    known, name = [one.lower() for one in allowed], name.lower()
    return any(one in ("*", name) or (one[:1] == "." and (name.endswith(one) or name == one[1:])) for one in known)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _pages() -> Setting:
    why = "put a text here that the first page must show: by it each deploy is verified"
    return Setting("check_urls", [{"path": "/", "contains": ["..."]}], why, off=True)
