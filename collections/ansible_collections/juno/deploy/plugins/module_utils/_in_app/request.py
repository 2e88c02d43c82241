# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: one request through its WSGI (or ASGI) application, which leaves no trace.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.
"""

import importlib
import io
import sys
import traceback
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._in_app.asgi import only_by_asgi

DUMMY_CACHE = "django.core.cache.backends.dummy.DummyCache"
PLAIN_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
DUMMY_MAIL = "django.core.mail.backends.dummy.EmailBackend"
#: A page is read up to here; some never end.
BODY_BYTES = 1024 * 1024


def calm(settings: t.Any) -> None:
    """Change settings, before anything reads them, so that a page leaves no trace outside this process.

    It must not fill the cache that serves, nor mail an error, nor miss the static files that are collected only later.
    """
    settings.CACHES = {alias: {"BACKEND": DUMMY_CACHE} for alias in settings.CACHES}
    settings.EMAIL_BACKEND = DUMMY_MAIL
    if hasattr(settings, "STORAGES"):
        settings.STORAGES = dict(settings.STORAGES, staticfiles={"BACKEND": PLAIN_STORAGE})
    else:
        settings.STATICFILES_STORAGE = PLAIN_STORAGE


def host_of(allowed: "t.Sequence[str]") -> str:
    """Return a host that the site answers for."""
    names = [name.lstrip(".") for name in allowed if name.strip(".*")]
    return names[0] if names else "localhost"


def environ_of(settings: t.Any, path: str, headers: "dict[str, str]", as_it_comes: bool = False) -> "dict[str, t.Any]":
    """Build what a server hands to a WSGI application for a GET; C(as_it_comes) also where the site wants https."""
    plain, _mark, query = path.partition("?")
    secure = bool(getattr(settings, "SECURE_SSL_REDIRECT", False)) and not as_it_comes
    environ: dict[str, t.Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": urllib.parse.unquote_to_bytes(plain).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443" if secure else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": host_of(settings.ALLOWED_HOSTS),
        "HTTP_USER_AGENT": "juno.deploy",
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if secure else "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": True,
    }
    if secure and getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        name, value = settings.SECURE_PROXY_SSL_HEADER
        environ[name] = value
    for name, value in headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def application_of(settings: t.Any) -> t.Any:
    """Return the site's WSGI application; Django's own where the setting names a module that isn't there.

    Only runserver reads that setting, so it may be out of date without harm. A site that names no such application, and
    one by ASGI, is asked by that.
    """
    by_asgi = only_by_asgi(settings)
    if by_asgi:
        return by_asgi
    name = getattr(settings, "WSGI_APPLICATION", None) or ""
    try:
        return importlib.import_module("django.core.servers.basehttp").get_internal_wsgi_application()
    except importlib.import_module("django.core.exceptions").ImproperlyConfigured as exc:
        missing = getattr(exc.__cause__, "name", None)
        if not missing or not (name + ".").startswith(missing + "."):
            raise (exc.__cause__ or exc) from None
        return importlib.import_module("django.core.wsgi").get_wsgi_application()


def ask(
    settings: t.Any, path: str, headers: "dict[str, str]", body_parts: "list[bytes] | None" = None
) -> "dict[str, t.Any]":
    """Fetch a page and give its status, where it leads, and the error that made it one of 500.

    With C(body_parts), which get the page, it is asked for as a visitor's request comes.
    """
    answer: dict[str, t.Any] = {"path": path, "status": 0, "why": ""}

    def failed(**_about: t.Any) -> None:
        kind, value = sys.exc_info()[:2]
        answer["why"] = " ".join("".join(traceback.format_exception_only(kind, value)).split())

    def start_response(status: str, answered: t.Any, _exc_info: t.Any = None) -> "t.Callable[[bytes], None]":
        answer["status"] = int(status.split()[0])
        for name, value in answered:
            if name.lower() == "location":
                answer["location"] = value
        return lambda _data: None

    importlib.import_module("django.core.signals").got_request_exception.connect(failed, weak=False)
    body = application_of(settings)(
        environ_of(settings, path, headers, as_it_comes=body_parts is not None), start_response
    )
    try:
        size = 0
        for part in body:
            size += len(part)
            if body_parts is not None:
                body_parts.append(part)
            if size > BODY_BYTES:
                break
    finally:
        if hasattr(body, "close"):
            body.close()
    return answer


def judge(page: "dict[str, t.Any]", answer: "dict[str, t.Any]", text: str, headers: "dict[str, str]") -> str:
    """Return what is wrong with a page of the verification, and what that may hang on; nothing if it is right."""
    status, wanted = answer["status"], page.get("status", 200)
    if status == wanted:
        found = [f"does not contain '{one}'" for one in page.get("contains") or [] if one not in text]
        found += [f"still contains '{one}'" for one in page.get("excludes") or [] if one in text]
        return found[0] if found else ""
    if status == 401:
        return "it asks for a login: set 'check_headers' (Authorization)"
    if status == 400:
        return (
            f"it is refused as Host '{headers.get('Host', '')}': name that host in ALLOWED_HOSTS, or set "
            "'headers' (Host) to one that is in it"
        )
    if answer.get("location", "").startswith("https://") and headers.get("X-Forwarded-Proto") != "https":
        return (
            "it leads to https: set 'headers' (X-Forwarded-Proto: https), so that it is asked as a request that came "
            "by TLS"
        )
    return answer["why"] or f"wanted: {wanted}, by 'pages'"
