# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: what its settings really come to, part by part. Private to juno.deploy.

See _in_app.manage for the limits of such a module. A part raises what the app raises; the caller makes an error text of
it, so that the other parts are told all the same. No cache, database or session is opened.
"""

import ast
import functools
import importlib
import importlib.util
import os
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_list import list_caches, with_apps
from ansible_collections.juno.deploy.plugins.module_utils._in_app.static import look

CACHE_STORE = "django.contrib.sessions.backends.cache"
CACHED_DB_STORE = "django.contrib.sessions.backends.cached_db"
#: Where the sessions of Django's own engines live.
STORES = {
    "django.contrib.sessions.backends.db": "database",
    CACHED_DB_STORE: "cached_database",
    "django.contrib.sessions.backends.file": "files",
    "django.contrib.sessions.backends.signed_cookies": "cookies",
    CACHE_STORE: "cache",
}
UPDATE = "django.middleware.cache.UpdateCacheMiddleware"
FETCH = "django.middleware.cache.FetchFromCacheMiddleware"
BOTH = "django.middleware.cache.CacheMiddleware"
#: They say by C(Vary: Cookie) that a page is for one visitor, so a page must be stored after they have.
VARY_BY_COOKIE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
)


def name_of(thing: t.Any) -> str:
    """Return the dotted name of a class or function; of an object that has none, that of its class."""
    kind = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{kind.__module__}.{kind.__qualname__}"


def caches(settings: t.Any, seconds: float) -> "list[dict[str, t.Any]]":
    """Describe the caches, each with the reason if it can't be made."""
    made = importlib.import_module("django.core.cache").caches
    listed = []
    for one in list_caches(seconds, resolving=False)["caches"]:
        result = {name: one.get(name) for name in ("alias", "backend", "family", "locations", "error")}
        result["options"] = sorted(settings.CACHES.get(one["alias"], {}).get("OPTIONS") or {})
        result.update(one.get("told") or {})
        if "error" not in one and "told" not in one:
            result.update(keys_of(made[one["alias"]]), key_prefix=one["key_prefix"], keys_begin_with=one["begins"])
        listed.append(result)
    return listed


def keys_of(cache: t.Any) -> "dict[str, t.Any]":
    """Return how a cache makes its keys, and for how long it keeps what is stored without a time."""
    default = importlib.import_module("django.core.cache.backends.base").default_key_func
    function = getattr(cache, "key_func", default)
    result = {
        "version": str(cache.version),
        "version_type": type(cache.version).__name__,
        "timeout": cache.default_timeout,
        "key_function": "" if function is default else name_of(function),
        "key_example": None,
        "key_error": "",
    }
    try:
        result["key_example"] = str(cache.make_key("x"))
    except Exception as exc:  # noqa: BLE001  # a key function of the app's own raises what it likes, and that is told
        result["key_error"] = f"{type(exc).__name__}: {exc}"
    return result


def sessions(settings: t.Any) -> "dict[str, t.Any]":
    """Return where sessions live, by the class that keeps them: an app's own may descend from one of Django's."""
    engine = str(settings.SESSION_ENGINE)
    middleware = "django.contrib.sessions.middleware.SessionMiddleware"
    result = {
        "engine": engine,
        "alias": None,
        "store": STORES.get(engine, ""),
        "used": middleware in settings.MIDDLEWARE,
    }
    if not result["store"]:
        kind = with_apps(lambda: importlib.import_module(engine).SessionStore)
        result["store"] = next((STORES[base.__module__] for base in kind.__mro__ if base.__module__ in STORES), "other")
    if result["store"] in ("cache", "cached_database"):
        result["alias"] = str(settings.SESSION_CACHE_ALIAS)
    return result


def templates(settings: t.Any) -> "list[dict[str, t.Any]]":
    """Return how each template engine loads templates, and whether it keeps them in the memory of its process."""
    found = []
    for conf in settings.TEMPLATES:
        one = {"backend": str(conf.get("BACKEND", "")), "loaders": [], "cached": False, "error": ""}
        try:
            one.update(engine_of(conf, settings))
        except Exception as exc:  # noqa: BLE001  # a template engine raises what it likes, and the error is told
            one["error"] = f"{type(exc).__name__}: {exc}"
        found.append(one)
    return found


def engine_of(conf: "dict[str, t.Any]", settings: t.Any) -> "dict[str, t.Any]":
    """Ask Django's own engine, whose rules changed between versions, which loaders it takes."""
    kind = with_apps(lambda: importlib.import_module("django.utils.module_loading").import_string(conf["BACKEND"]))
    options = conf.get("OPTIONS") or {}
    bases = {base.__module__ for base in kind.__mro__}
    if "django.template.backends.jinja2" in bases:
        return {"cached": not options.get("auto_reload", settings.DEBUG)}
    if "django.template.backends.django" not in bases:
        return {}
    engine = importlib.import_module("django.template.engine").Engine(
        app_dirs=bool(conf.get("APP_DIRS")),
        debug=options.get("debug", settings.DEBUG),
        loaders=options.get("loaders"),
    )
    names = flat(engine.loaders)
    return {"loaders": names, "cached": any(keeps_templates(name) for name in names)}


def flat(loaders: t.Any) -> "list[str]":
    """Return the names of loaders that may stand in each other; their arguments are left out."""
    names: list[str] = []
    for one in loaders:
        if isinstance(one, (list, tuple)):
            names.append(str(one[0]))
            if keeps_templates(str(one[0])) and len(one) > 1:
                names += flat(one[1])
        else:
            names.append(str(one))
    return names


def keeps_templates(name: str) -> bool:
    """Return whether a loader keeps templates in memory."""
    kind = importlib.import_module("django.utils.module_loading").import_string(name)
    return any(base.__module__ == "django.template.loaders.cached" for base in kind.__mro__)


def static(settings: t.Any) -> "dict[str, t.Any]":
    """Describe the static files: storage, root, URL, manifest."""
    storages = getattr(settings, "STORAGES", None) or {}
    named = (storages.get("staticfiles") or {}).get("BACKEND") or getattr(settings, "STATICFILES_STORAGE", "")
    result: dict[str, t.Any] = {
        "storage": str(named),
        "root": str(settings.STATIC_ROOT) if settings.STATIC_ROOT else None,
        "url": str(settings.STATIC_URL or ""),
        "installed": "django.contrib.staticfiles" in settings.INSTALLED_APPS,
        "manifest": None,
        "error": "",
    }
    try:
        seen = with_apps(look)
        result["storage"] = seen["storage"]
        if seen["has_manifest"]:
            result["manifest"] = {
                "path": manifest_path(),
                "exists": seen["hash"] is not None,
                "hash": seen["hash"],
                "entries": len(seen["paths"]),
            }
    except Exception as exc:  # noqa: BLE001  # a storage raises what it likes, and the error is told
        result["error"] = f"{type(exc).__name__}: {exc}"
    return result


def manifest_path() -> "str | None":
    """Return the file of the manifest; nothing where the storage is no directory."""
    storage = importlib.import_module("django.contrib.staticfiles.storage").staticfiles_storage
    try:
        return str(getattr(storage, "manifest_storage", storage).path(storage.manifest_name))
    except NotImplementedError:
        return None


def middleware(settings: t.Any, importing: bool) -> "dict[str, t.Any]":
    """Return which middleware caches whole pages, with the settings that it goes by."""
    names = [str(name) for name in settings.MIDDLEWARE]
    roles: dict[str, tuple[str, ...]] = {}
    errors = []
    for name in names:
        roles[name] = role_of([name])
        if importing and not name.startswith("django."):
            try:
                roles[name] = role_of(with_apps(functools.partial(ancestors, name)))
            except Exception as exc:  # noqa: BLE001  # the app's own code raises what it likes, and the error is told
                errors.append({"middleware": name, "error": f"{type(exc).__name__}: {exc}"})
    update = [number for number, name in enumerate(names) if "updates" in roles[name]]
    late = [name for name in names[: update[0]] if name in VARY_BY_COOKIE] if update else []
    return {
        "updates": bool(update),
        "fetches": any("fetches" in role for role in roles.values()),
        "seconds": settings.CACHE_MIDDLEWARE_SECONDS,
        "alias": str(settings.CACHE_MIDDLEWARE_ALIAS),
        "key_prefix": str(settings.CACHE_MIDDLEWARE_KEY_PREFIX),
        "before_update": late,
        "errors": errors,
    }


def ancestors(name: str) -> "list[str]":
    """Return the names of a middleware's class and of all that it descends from."""
    kind = importlib.import_module("django.utils.module_loading").import_string(name)
    return [name_of(base) for base in getattr(kind, "__mro__", (kind,))]


def role_of(names: "list[str]") -> "tuple[str, ...]":
    """Return what a middleware of these classes does to the page cache."""
    if BOTH in names:
        return ("updates", "fetches")
    return tuple(role for role, name in (("updates", UPDATE), ("fetches", FETCH)) if name in names)


def apps(settings: t.Any) -> "dict[str, t.Any]":
    """Load all apps, as the server did."""
    importlib.import_module("django").setup()
    return {"installed": len(settings.INSTALLED_APPS)}


def urls(settings: t.Any) -> "dict[str, t.Any]":
    """Load the URLconf, as the server did with its first request."""
    patterns = importlib.import_module("django.urls").get_resolver(settings.ROOT_URLCONF).url_patterns
    return {"patterns": len(patterns)}


def default_settings(application: str) -> "str | None":
    """Return the settings module that the server's application falls back to, read from its source without running it.

    C(manage.py) and C(wsgi.py) may name different ones, and then a command of manage.py tells of settings that no
    visitor meets.
    """
    spec = importlib.util.find_spec(application)
    if spec is None or not spec.origin or not os.path.isfile(spec.origin):
        return None
    with open(spec.origin, "rb") as file:
        tree = ast.parse(file.read())
    text = "value" if sys.version_info >= (3, 8) else "s"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            words = [getattr(one, text, None) for one in node.args]
            if len(words) == 2 and words[0] == "DJANGO_SETTINGS_MODULE" and isinstance(words[1], str):
                return str(words[1])
    return None
