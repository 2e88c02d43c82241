# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: tell what its settings come to, part by part. Private to juno.deploy.

See _in_app.manage for the limits of such a module. Each part is told as soon as it is known, so that what hangs or ends
the process takes only the parts after it.
"""

import functools
import importlib
import os
import platform
import re
import sys
import traceback
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_list import about
from ansible_collections.juno.deploy.plugins.module_utils._in_app.cache_version import SecondEvaluation
from ansible_collections.juno.deploy.plugins.module_utils._in_app.child_processes import in_words, leave
from ansible_collections.juno.deploy.plugins.module_utils._in_app.info_parts import (
    apps,
    caches,
    default_settings,
    middleware,
    sessions,
    static,
    templates,
    urls,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.manage import (
    NO_DJANGO,
    NO_SETTINGS,
    before_apps,
    emit,
    prepare,
)
from ansible_collections.juno.deploy.plugins.module_utils._in_app.masking import Hider, secrets_around, secrets_of
from ansible_collections.juno.deploy.plugins.module_utils._in_app.request import host_of

#: Texts that may hold anything, wherever they stand.
FREE = (
    "debug_text",
    "error",
    "key_error",
    "key_example",
    "key_prefix",
    "keys_begin_with",
    "path",
    "root",
    "url",
    "version",
)


def main(request: "dict[str, t.Any]") -> None:
    """Tell about the app in parts (C(about), C(caches), ...), or C(failure) when its settings can't be had."""
    server = adopt(request["environment_of"])
    # What manage.py sets by itself is not yet there.
    server["settings_named"] = bool(request["settings"] or os.environ.get("DJANGO_SETTINGS_MODULE"))
    prepare(request)
    try:
        before_apps(request, lambda: work(request, server))
    except (Exception, SystemExit) as exc:  # the app's own code raises what it likes, and the error is told
        if isinstance(exc, SystemExit) and exc.code in (NO_DJANGO, NO_SETTINGS):
            raise
        emit(request, "failure", dict(error_of(exc, Hider(secrets_around(os.environ))), reading=request["manage_py"]))
        leave(1)
    leave(0)


def adopt(process: int) -> "dict[str, t.Any]":
    """Take over the environment of the server's process, which its start script may have added to."""
    if not process:
        return {"read": False, "error": ""}
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            pairs = file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError as exc:
        return {"read": False, "error": exc.strerror}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        # A server that names itself in the list of processes may write over what is there.
        if equals and re.match(r"[A-Za-z_]\w*$", name):
            os.environ[name] = value
    wanted = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[1:1] = [entry for entry in wanted if entry not in sys.path]
    return {"read": True, "error": ""}


def work(request: "dict[str, t.Any]", environment: "dict[str, t.Any]") -> None:
    """Start the second evaluation of the settings, tell all parts meanwhile, and its answer last."""
    settings = importlib.import_module("django.conf").settings
    variable = request["cache_version_variable"]
    evaluation = None
    if variable and os.environ.get("DJANGO_SETTINGS_MODULE"):
        evaluation = SecondEvaluation(variable, request["timeout_seconds"])
    try:
        first = describe(settings, request, environment)
    except (Exception, SystemExit) as exc:  # settings raise what they like, and the error is told
        emit(request, "failure", dict(error_of(exc, Hider(secrets_around(os.environ))), reading="the settings"))
        raise SystemExit(1) from exc
    hider = Hider(secrets_of(settings, os.environ))
    emit(request, "about", clean(first, hider))
    remember_setup()
    for name, look in looks(settings, request):
        emit(request, name, attempt(look, hider))
    if evaluation:
        emit(request, "cache_version", clean(evaluation.collect(), hider))


def looks(settings: t.Any, request: "dict[str, t.Any]") -> "list[tuple[str, t.Callable[[], t.Any]]]":
    """Return the parts in the order in which they are told: what needs least of the app first."""
    importing = request["imports"]
    found: list[tuple[str, t.Callable[[], t.Any]]] = [
        ("sessions", functools.partial(sessions, settings)),
        ("templates", functools.partial(templates, settings)),
        ("static", functools.partial(static, settings)),
        ("caches", functools.partial(caches, settings, request["timeout_seconds"])),
        ("middleware", functools.partial(middleware, settings, importing)),
        ("application", functools.partial(application, settings, request["application"])),
    ]
    if importing:
        found += [("apps", functools.partial(apps, settings)), ("urls", functools.partial(urls, settings))]
    return found


def describe(settings: t.Any, request: "dict[str, t.Any]", environment: "dict[str, t.Any]") -> "dict[str, t.Any]":
    """Return the versions, DEBUG, and how the site wants to be asked."""
    seen = about(settings)
    header = getattr(settings, "SECURE_PROXY_SSL_HEADER", None) or ("", "")
    return {
        "django": seen["django"],
        "python": platform.python_version(),
        "interpreter": sys.executable,
        "settings_module": seen["settings"] or str(getattr(settings, "SETTINGS_MODULE", "")),
        "debug": seen["debug"],
        "debug_text": seen["debug_text"][:20],
        # Their values are words like "False"; nobody needs more than the names.
        "debug_variables": [pair.partition("=")[0] for pair in seen["debug_variables"]],
        "host": host_of(settings.ALLOWED_HOSTS),
        "allowed_hosts": [str(one) for one in settings.ALLOWED_HOSTS],
        "redirects_to_https": bool(settings.SECURE_SSL_REDIRECT),
        "wants_https": bool(settings.SECURE_SSL_REDIRECT) and tuple(header) == ("HTTP_X_FORWARDED_PROTO", "https"),
        "databases": {str(alias): str(dict(one).get("ENGINE") or "") for alias, one in settings.DATABASES.items()},
        "cache_version_set": request["cache_version_variable"] in os.environ,
        "environment": environment,
    }


def application(settings: t.Any, named: str) -> "dict[str, t.Any]":
    """Return which settings the server's application names, where that is decided by its source."""
    module = named or str(getattr(settings, "WSGI_APPLICATION", None) or "").rpartition(".")[0]
    return {"module": module, "settings": default_settings(module) if module else None}


def remember_setup() -> None:
    """Have Django raise the first error of loading the apps again: a second try's own would tell nothing."""
    django: t.Any = importlib.import_module("django")
    original = django.setup
    failed: list[BaseException] = []

    def setup(*arguments: t.Any, **options: t.Any) -> None:
        if failed:
            raise failed[0]
        try:
            original(*arguments, **options)
        except BaseException as exc:
            failed.append(exc)
            raise

    django.setup = setup


def attempt(look: "t.Callable[[], t.Any]", hider: Hider) -> "dict[str, t.Any]":
    """Return C(value), or C(error) and where it was raised."""
    try:
        return {"value": clean(look(), hider), "error": ""}
    except (Exception, SystemExit) as exc:  # noqa: BLE001  # the app's own code raises what it likes, and that is told
        return dict(error_of(exc, hider), value=None)


def error_of(exc: BaseException, hider: Hider) -> "dict[str, t.Any]":
    """Return an exception in one line, and the place in the app's own code that it came from."""
    return {"error": hider.text(in_words(exc)), "where": hider.text(where(exc))}


def where(exc: BaseException) -> str:
    """Return file and line of the last frame that is neither Python's nor Django's nor ours."""
    django: t.Any = importlib.import_module("django")
    library, framework = os.path.dirname(str(os.__file__)), os.path.dirname(django.__file__)
    site = os.sep + "site-packages" + os.sep
    for frame in reversed(traceback.extract_tb(exc.__traceback__)):
        theirs = os.path.isfile(frame.filename) and (site in frame.filename or not frame.filename.startswith(library))
        if theirs and not frame.filename.startswith(framework):
            return f"{frame.filename}, line {frame.lineno}"
    return ""


def clean(value: t.Any, hider: Hider, name: str = "") -> t.Any:
    """Take secrets out of all texts that may hold some."""
    if isinstance(value, dict):
        return {key: clean(inner, hider, str(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [clean(inner, hider, name) for inner in value]
    if isinstance(value, str):
        return hider.location(value) if name == "locations" else hider.text(value) if name in FREE else value
    return value
