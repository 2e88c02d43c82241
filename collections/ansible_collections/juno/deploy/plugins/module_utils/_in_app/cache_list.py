# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: which caches the app has, and where. Private to juno.deploy: no stable interface.

No app is loaded unless a cache needs one: settings and backends are enough, and much faster. See _in_app.manage for the
limits of such a module.
"""

import functools
import importlib
import ipaddress
import os
import re
import socket
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_cacheops import query_caches

#: Which family a backend belongs to, by the module of a class it descends from.
FAMILIES = (
    ("memcached", ("django.core.cache.backends.memcached", "django_bmemcached", "django_elasticache")),
    ("redis", ("django.core.cache.backends.redis", "django_redis", "django_valkey", "redis_cache")),
    ("database", ("django.core.cache.backends.db",)),
    ("filebased", ("django.core.cache.backends.filebased",)),
    ("locmem", ("django.core.cache.backends.locmem",)),
    ("dummy", ("django.core.cache.backends.dummy",)),
)
FALSE_WORDS = ("false", "no", "off", "0", "f", "n")
MASK = "********"
_setup_lock = threading.Lock()


def with_apps(work: "t.Callable[[], t.Any]") -> t.Any:
    """Return what C(work) gives; where it needs the apps, load them and try again."""
    not_ready = importlib.import_module("django.core.exceptions").AppRegistryNotReady
    try:
        return work()
    except not_ready:
        with _setup_lock:
            importlib.import_module("django").setup()
        return work()


def run_in_parallel(jobs: "t.Mapping[str, t.Callable[[], t.Any]]", seconds: float) -> "dict[str, t.Any]":
    """Run all jobs in parallel; return each one's result, or C({"error": why})."""
    results: dict[str, t.Any] = {}

    def run_one(name: str, job: "t.Callable[[], t.Any]") -> None:
        try:
            results[name] = job()
        except Exception as exc:  # noqa: BLE001  # a backend raises what it likes, and the error is the result
            results[name] = {"error": mask(f"{type(exc).__name__}: {exc}")}

    threads = {name: threading.Thread(target=run_one, args=(name, job), daemon=True) for name, job in jobs.items()}
    ends = time.monotonic() + seconds
    for thread in threads.values():
        thread.start()
    for thread in threads.values():
        thread.join(max(0.0, ends - time.monotonic()))
    silent = {"error": f"it did not answer within {seconds:g} s"}
    return {name: results.get(name, silent) for name in jobs}


def family_of(kind: type) -> str:
    """Return the family of a backend, from the classes that it descends from."""
    for base in kind.__mro__:
        for family, modules in FAMILIES:
            if any(base.__module__ == one or base.__module__.startswith(one + ".") for one in modules):
                return family
    return "other"


def mask(text: str) -> str:
    """Hide the user and password of every URL in a text, and all passwords that the settings hold."""
    text = re.sub(r"(?<=\w://)[^\s'\"]*(?=@)|(?<=[?&]password=)[^\s'\"&]+", MASK, text)
    for secret in _passwords(importlib.import_module("django.conf").settings.CACHES):
        text = text.replace(secret, MASK)
    return text


def _passwords(conf: t.Any, name: str = "") -> "list[str]":
    if isinstance(conf, dict):
        return [secret for key, value in conf.items() for secret in _passwords(value, str(key))]
    return [conf] if "pass" in name.lower() and isinstance(conf, str) and conf else []


def describe(alias: str, cache: t.Any, conf: "dict[str, t.Any]") -> "dict[str, t.Any]":
    """Describe one cache as the app configured it."""
    kind = type(cache)
    family = family_of(kind)
    places = places_of(family, cache, conf)
    return {
        "alias": alias,
        "backend": f"{kind.__module__}.{kind.__qualname__}",
        "family": family,
        "locations": [mask(str(place)) for place in places],
        "key": key_of(family, alias, places, conf),
        "nodes": [parse_node(place) for place in places] if family == "memcached" else [],
        "options": sorted(conf.get("OPTIONS") or {}),
        "key_prefix": str(cache.key_prefix),
        "version": str(cache.version),
        "begins": begins_with(cache),
    }


def begins_with(cache: t.Any, version: "int | None" = None) -> "str | None":
    """Return what all keys of a cache begin with, under its own or another version.

    Nothing where its key function puts the name elsewhere.
    """
    names = ("juno", "deploy")
    try:
        keys = [str(cache.make_key(name, version=version)) for name in names]
    except Exception:  # noqa: BLE001 - a key function of the app's own raises what it likes
        return None
    begins = {key[: -len(name)] if key.endswith(name) else "" for key, name in zip(keys, names)}  # noqa: B905
    return begins.pop() or None if len(begins) == 1 else None


def places_of(family: str, cache: t.Any, conf: "dict[str, t.Any]") -> "list[t.Any]":
    """Return where a cache keeps its entries."""
    if family == "memcached" and hasattr(cache, "_servers"):
        return list(cache._servers)
    if family == "filebased":
        return [cache._dir]
    if family == "database":
        return [cache._table]
    location = conf.get("LOCATION") or []
    if isinstance(location, str):
        return [one for one in re.split("[;,]", location) if one] if family in ("redis", "memcached") else [location]
    return list(location) if isinstance(location, (list, tuple)) else [location]


def key_of(family: str, alias: str, places: "list[t.Any]", conf: "dict[str, t.Any]") -> str:
    """Return a text that is equal for two aliases whose entries lie in the same place."""
    if family == "filebased":
        return "files " + os.path.realpath(str(places[0]))
    if family == "database":
        return f"table {places[0]}"
    if family == "redis" and places:
        return "redis " + redis_key(str(places[0]), (conf.get("OPTIONS") or {}).get("db"))
    return "alias " + alias


def redis_key(url: str, option: t.Any) -> str:
    """Return host, port and database number of a redis URL; the first server of a list takes the writes."""
    address = re.sub(r"\?.*", "", re.sub(r"^\w+://(.*@)?", "", url))
    if url.startswith("unix:"):
        found = re.search(r"[?&]db=(\d+)", url)
        return f"{address} {found.group(1) if found else option or 0}"
    host, _slash, number = address.partition("/")
    return "{}/{}".format(host if re.search(r":\d+$", host) else host + ":6379", number or option or 0)


def parse_node(server: t.Any) -> "dict[str, t.Any]":
    """Read one memcached location in any of the forms that the clients understand."""
    text = str(server).strip()
    if isinstance(server, (list, tuple)):
        # pymemcache: (host, port). python-memcached: ("host:port", weight).
        first = str(server[0])
        text = first if ":" in first or first.startswith("/") or len(server) < 2 else f"{first}:{server[1]}"
    if text.startswith(("/", "unix:")):
        path = re.sub(r"^unix:(//(?=/))?", "", text)
        return {"name": path, "raw": text, "path": path, "host": "", "port": 0}
    plain = re.sub(r"^inet6?:", "", text)
    found = re.match(r"^(?:\[(?P<six>[^]]+)\]|(?P<host>[^:]+))(?::(?P<port>\d+))?(?::\d+)?$", plain)
    host, port = plain, 11211
    if found:
        host, port = found.group("six") or found.group("host"), int(found.group("port") or 11211)
    name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return {"name": name, "raw": text, "path": "", "host": host, "port": port}


def resolve(host: str, port: int) -> "dict[str, t.Any]":
    """Return the addresses that a name has here: all of them, since a scaled service has several behind one name."""
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    addresses = sorted({str(one[4][0]) for one in found})
    four = [one for one in addresses if ":" not in one]
    return {"addresses": four or addresses}


def is_local(address: str) -> bool:
    """Return whether an address means this very network namespace."""
    parsed = ipaddress.ip_address(address.split("%")[0])
    return parsed.is_loopback or parsed.is_unspecified


def list_caches(seconds: float, resolving: bool, versions: "t.Sequence[int]" = ()) -> "dict[str, t.Any]":
    """Describe all caches and what else in the settings decides about them.

    :param versions: further versions under which the app may have stored entries.
    """
    settings = importlib.import_module("django.conf").settings
    caches = importlib.import_module("django.core.cache").caches
    listed = []
    for alias, conf in sorted(settings.CACHES.items()):
        try:
            cache = with_apps(functools.partial(caches.__getitem__, alias))
            earlier = [begins_with(cache, one) for one in versions]
            listed.append(dict(describe(alias, cache, conf), earlier=[one for one in earlier if one]))
        except Exception as exc:  # noqa: BLE001  # a backend raises what it likes, and the error is reported
            broken = {"alias": alias, "backend": str(conf.get("BACKEND", "")), "family": "other", "locations": []}
            listed.append(dict(broken, key="alias " + alias, error=mask(f"{type(exc).__name__}: {exc}")))
    if resolving:
        _resolve_all([node for one in listed for node in one.get("nodes", [])], seconds)
    return dict(about(settings), caches=[*listed, *query_caches(settings, mask)])


def list_versions() -> "dict[str, t.Any]":
    """List the caches with their family and the version in their keys, without making any of them."""
    settings = importlib.import_module("django.conf").settings
    import_string = importlib.import_module("django.utils.module_loading").import_string
    listed = []
    for alias, conf in sorted(settings.CACHES.items()):
        one = {"alias": alias, "version": str(conf.get("VERSION", 1))}
        try:
            listed.append(dict(one, family=family_of(import_string(conf["BACKEND"]))))
        except Exception as exc:  # noqa: BLE001  # a backend's module raises what it likes, and the error is reported
            listed.append(dict(one, family="other", error=mask(f"{type(exc).__name__}: {exc}")))
    return dict(about(settings), caches=[*listed, *query_caches(settings, mask)])


def _resolve_all(nodes: "list[dict[str, t.Any]]", seconds: float) -> None:
    wanted = {node["name"]: node for node in nodes if node["host"]}
    jobs = {name: functools.partial(resolve, node["host"], node["port"]) for name, node in wanted.items()}
    found = run_in_parallel(jobs, seconds)
    for node in nodes:
        node.update(found.get(node["name"], {}))
        node["local"] = bool(node["path"]) or any(is_local(one) for one in node.get("addresses", []))


def about(settings: t.Any) -> "dict[str, t.Any]":
    """Return what else in the settings decides about caches: DEBUG, and where sessions live."""
    variables = [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if "DEBUG" in name.upper() and value.strip().lower() in FALSE_WORDS
    ]
    return {
        "django": importlib.import_module("django").get_version(),
        "settings": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
        "debug": bool(settings.DEBUG),
        "debug_text": settings.DEBUG if isinstance(settings.DEBUG, str) else "",
        "debug_variables": variables,
        "session_engine": str(settings.SESSION_ENGINE),
        "session_alias": str(settings.SESSION_CACHE_ALIAS),
    }
