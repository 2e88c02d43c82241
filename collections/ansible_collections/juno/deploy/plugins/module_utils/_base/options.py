# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that modules share, as argument specs. Private to juno.deploy: no stable interface.

Data only, so that the thin modules, which carry little else of the collection, can check what they are told. Each spec
is documented in the doc fragment of its name, unless it says otherwise.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import strategies
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

Spec = dict[str, dict[str, t.Any]]

STATE_ROOT = "/var/lib/juno"
#: From whom the proxy believes X-Forwarded-For.
TRUSTED = ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


def _words(*default: str) -> dict[str, t.Any]:
    return {"type": "list", "elements": "str", "default": list(default)}


def _one(kind: str, default: t.Any) -> dict[str, t.Any]:
    return {"type": kind, "default": default}


def _of(default: str, *choices: str) -> dict[str, t.Any]:
    return {"type": "str", "choices": list(choices), "default": default}


#: Where the journals are; documented in the fragment juno.deploy.app.
STATE: Spec = {"state_root": _one("path", STATE_ROOT)}
#: The compose service that runs Django.
SERVICE = _one("str", "web")
#: Containers of a compose project.
COMPOSE: Spec = {name: {"type": "str"} for name in ("project", "service", "docker_host")}
#: Where a Django app's Python runs.
DJANGO: Spec = {
    **COMPOSE,
    **{name: {"type": "str"} for name in ("chdir", "virtualenv", "python", "settings")},
    "manage_py": _one("str", "manage.py"),
}
#: Which memcached servers, and how to reach them; beside COMPOSE.
MEMCACHED: Spec = {
    "servers": {"type": "list", "elements": "str"},
    "port": _one("int", 11211),
    "tls": _one("bool", False),
    **{name: {"type": "path"} for name in ("tls_ca_file", "tls_cert_file", "tls_key_file")},
    "tls_check_hostname": _one("bool", True),
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "timeout_seconds": _one("float", 5.0),
}
#: As what a request comes to a site behind a proxy that ends TLS, and headers of it that nobody is shown.
FORWARDED: Spec = {"forwarded_proto": {"type": "str", "choices": ["http", "https"]}}
CHECK_HEADERS: Spec = {"check_headers": {"type": "dict", "default": {}, "no_log": True}}
#: How long static files of earlier releases stay.
RETENTION: Spec = {"keep_releases": _one("int", 5), "html_max_age": _one("int", 3600)}
APP: Spec = {
    "path": {"type": "path", "required": True},
    "project": {"type": "str", "required": True},
    "service": SERVICE,
    "worker_services": _words(),
    "exclude_services": _words(),
    "compose_files": _words(),
    "docker_host": {"type": "str"},
    **STATE,
    "check_entrypoint": _one("str", ""),
}
PLAN: Spec = {
    "files": _one("str", ""),
    "remote": _one("str", "origin"),
    "branch": _one("str", "main"),
    "fetch_timeout_seconds": _one("int", 60),
    "always_build": _one("bool", False),
    "force": _one("bool", False),
    "strategy": _of(strategies.DEFAULT, *strategies.NAMES),
    "collectstatic": _of("auto", "auto", "always", "never"),
    "cache_version_variable": _one("str", ""),
    "rules": {"type": "list", "elements": "dict", "default": []},
    "own_frontend": _one("bool", False),
    "update_services": _words(),
    "reverse_migrations": _one("bool", False),
    "base_url": _one("str", ""),
}
#: What of a cache goes.
CACHE_POLICY: Spec = {
    "mode": _of("auto", "auto", "selective", "flush"),
    "keep": _words(),
    "allow_loss": _one("bool", False),
}
#: Of the module django_cache_clear, beside DJANGO; documented there and in the fragment juno.deploy.cache_policy.
CACHE_CLEAR: Spec = {
    "alias": {"type": "list", "elements": "str"},
    "command": {"type": "str"},
    "command_arguments": _words(),
    "fail_if_uncleared": _one("bool", False),
    "timeout_seconds": _one("int", 10),
    "naming": _words(),
    "state_root": {"type": "path"},
    **CACHE_POLICY,
}
#: Of the module django_collectstatic, beside DJANGO; documented there and in the fragment juno.deploy.retention.
COLLECTSTATIC: Spec = {
    "clear": _one("bool", False),
    "staging": _one("bool", True),
    "force": _one("bool", False),
    "prune": _one("bool", False),
    **RETENTION,
    "link": _one("bool", False),
    "ignore": _words(),
    "timeout_seconds": _one("int", 600),
}
#: A login at a registry of images; nobody is shown its password.
LOGIN: Spec = {
    "registry": {"type": "str", "required": True},
    "username": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
}
#: A page of a site, and what it must show.
PAGE: Spec = {
    "path": {"type": "str", "required": True},
    "status": _one("int", 200),
    "contains": _words(),
    "excludes": _words(),
}
CACHES: Spec = {
    "method": _of("settings", "settings", "memcached", "none"),
    "settings": {"type": "str"},
    **{name: CACHE_CLEAR[name] for name in ("alias", "command")},
    "service": _one("str", "memcached"),
    "port": MEMCACHED["port"],
    **CACHE_POLICY,
}
PROXY: Spec = {
    "image": _one("str", "haproxy:3.0"),
    "pull": _one("bool", False),
    "trusted_proxies": _words(*TRUSTED),
    "tcp_ports": {"type": "list", "elements": "int", "default": []},
}
BUILD: Spec = {
    "check_command": _words("python", "manage.py", "check"),
    "build_timeout_seconds": _one("int", 1800),
    "check_timeout_seconds": _one("int", 120),
    "frontend": _words(),
}
MIGRATE: Spec = {
    "backup": _of("auto", "auto", "always", "never"),
    "backup_timeout_seconds": _one("int", 600),
    "timeout_seconds": _one("int", 600),
    "lock_timeout_seconds": _one("int", 5),
}
SWITCH: Spec = {
    "grace_seconds": _one("int", 30),
    "stream_grace_seconds": _one("int", 30),
    "settle_seconds": _one("float", 3.2),
    "purge_bytecode": _one("bool", False),
    "bytecode_mode": _of("stale", "stale", "all"),
    "prune_static": _one("bool", True),
    "protect_git": _one("bool", False),
    "warm_paths": _words(),
    "warm_rate": _one("float", 20),
}
#: What a site is verified by, in a release and by itself.
CHECKS: Spec = {
    "check_assets": _one("bool", True),
    "compare": _one("bool", False),
    "check_containers": _one("bool", True),
    "html_max_age": RETENTION["html_max_age"],
    "sitemap": _one("str", "/sitemap.xml"),
    "sitemap_pages": _one("int", 0),
    "log_pages": _one("int", 0),
    "manifest": _one("str", ""),
}
VERIFY: Spec = {**CHECKS, "release_header": _one("str", "")}
RECORD: Spec = {
    "keep_releases": RETENTION["keep_releases"],
    "keep_backups": _one("int", 3),
    "build_cache_keep_mb": _one("int", 0),
}


def _group(options: Spec) -> dict[str, t.Any]:
    return {"type": "dict", "options": options, "apply_defaults": True}


#: All that a release is to be. Its groups have fragments of their own.
RELEASE: Spec = {
    **APP,
    **PLAN,
    "purpose": _of("deploy", "deploy", "rollback", "restart"),
    "release": _one("int", 0),
    "pages": {"type": "list", "elements": "dict", "default": [], "options": PAGE},
    "headers": _one("dict", {}),
    **CHECK_HEADERS,
    "boot_timeout_seconds": _one("int", 120),
    "recollect": _one("bool", False),
    "probe_rate": _one("float", 0),
    "probe_paths": _words(),
    "caches": _group(CACHES),
    "proxy": _group(PROXY),
    "build": _group(BUILD),
    "migrate": _group(MIGRATE),
    "switch": _group(SWITCH),
    "verify": _group(VERIFY),
    "record": _group(RECORD),
    "site_url": _one("str", ""),
    "host_name": _one("str", ""),
    "notices": _words(),
    "registry_logins": {"type": "list", "elements": "dict", "default": [], "options": LOGIN},
}
#: What the modules release_* tell a deployer to do, after release_begin.
STEPS = ("build", "migrate", "switch", "clear", "verify", "record", "undo")
#: Which deployer is followed; documented in the fragment juno.deploy.step.
FOLLOW: Spec = {
    "deployer": _one("str", ""),
    "next_step_timeout_seconds": _one("float", 0),
    "after": _one("int", -1),
}
#: Where the deployer of a release is.
STEP: Spec = {
    "project": {"type": "str", "required": True},
    **STATE,
    **FOLLOW,
    "task_id": _one("str", ""),
}


def default(spec: Spec, name: str) -> t.Any:
    """Return the default of an option."""
    return spec[name]["default"]


def defaults(spec: Spec) -> dict[str, t.Any]:
    """Return the default of each option that is no group."""
    return {name: option.get("default") for name, option in spec.items()}


def state_directory(params: dict[str, t.Any]) -> str:
    """Return the directory of the app's journal and lock.

    :raises BadInputError: the project's name is none that compose takes, or C(state_root) is relative.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", params["project"]):
        raise BadInputError(
            f"'{params['project']}' is not a valid name of a compose project (small letters, digits, - and _): "
            "set 'project' to the one that docker compose ls shows."
        )
    if not os.path.isabs(params["state_root"]):
        raise BadInputError(
            f"'state_root' must be an absolute path on the managed host, not '{params['state_root']}': correct it."
        )
    return os.path.join(str(params["state_root"]), str(params["project"]))
