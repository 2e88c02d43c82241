# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: keep what is secret out of what is told. Private to juno.deploy.

See _in_app.manage for the limits of such a module. Names of classes, aliases and options are told as they are; only
texts that may hold anything (errors, locations, URLs, key prefixes) are cleaned.
"""

import re
import typing as t
import urllib.parse

MASK = "********"
#: Settings and variables with these in their names hold secrets. (Django hides by the same words on its error page.)
SECRET_NAME = re.compile(r"API|AUTH|TOKEN|KEY|SECRET|PASS|PWD|SIGNATURE|CREDENTIAL|DSN|SALT", re.IGNORECASE)
#: Names that only sound like it.
PLAIN_NAMES = (
    "AUTH_USER_MODEL",
    "AUTHENTICATION_BACKENDS",
    "AUTH_PASSWORD_VALIDATORS",
    "CACHE_MIDDLEWARE_KEY_PREFIX",
    "KEY_FUNCTION",
    "KEY_PREFIX",
    "OLDPWD",
    "PASSWORD_HASHERS",
    "PWD",
)
#: Settings whose first keys are names of the app's own choice.
NAMED = ("CACHES", "DATABASES", "STORAGES")
#: Said by variables that switch something.
WORDS = ("true", "false", "none", "null", "yes", "off")
#: A shorter one is part of too many words.
LEAST_LETTERS = 3
#: Settings may hold themselves.
DEPTH = 8
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


class Hider:
    """Takes an app's secrets out of texts."""

    def __init__(self, secrets: "t.Iterable[str]") -> None:
        """Keep them in each form in which they may be printed, the longest first."""
        forms: set[str] = set()
        for secret in secrets:
            forms.update((secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret), repr(secret)[1:-1]))
        self.forms = sorted((form for form in forms if len(form) >= LEAST_LETTERS), key=len, reverse=True)

    def text(self, text: str) -> str:
        """Clean a text that may hold anything."""
        for form in self.forms:
            text = text.replace(form, MASK)
        return re.sub(r"(\w://)\S*@", r"\1" + MASK + "@", text)

    def location(self, text: str) -> str:
        """Clean the address of one server: whatever stands before an @, and what a query says but for the database."""
        text = re.sub(r"^(\w[\w+.-]*://)?.*@", r"\1" + MASK + "@", text, flags=re.DOTALL)
        return self.text(re.sub(r"([?&;](?!db=)[^=&;]*=)[^&;]*", r"\1" + MASK, text))


def secrets_of(settings: t.Any, environment: "t.Mapping[str, str]") -> "set[str]":
    """Find what is secret in an app's settings and in the environment of its process."""
    found: set[str] = set()
    for name in dir(settings):
        if name.isupper():
            _walk(name, _read(settings, name), _is_secret(name), found, DEPTH)
    for conf in settings.CACHES.values():
        # They are told by name only, so that no value may come out by way of an error either.
        options = conf.get("OPTIONS") or {}
        found.update(value for value in options.values() if isinstance(value, str) and not _DOTTED.fullmatch(value))
    return {secret for secret in found if secret.lower() not in WORDS} | secrets_around(environment)


def secrets_around(environment: "t.Mapping[str, str]") -> "set[str]":
    """Find what is secret in the environment of a process."""
    found: set[str] = set()
    for name, value in environment.items():
        _walk(name, value, _is_secret(name), found, 1)
        # A token under another name: letters and digits mixed, and no path, version or host.
        if re.fullmatch(r"(?=\D*\d)(?=.*[A-Za-z])[\w+=-]{8,}", value):
            found.add(value)
    return {secret for secret in found if secret.lower() not in WORDS}


def _is_secret(name: str) -> bool:
    return name not in PLAIN_NAMES and SECRET_NAME.search(name) is not None


def _read(settings: t.Any, name: str) -> t.Any:
    try:
        return getattr(settings, name)
    except Exception:  # noqa: BLE001 - Django refuses some values when they are read, and there is nothing to hide then
        return None


def _walk(name: str, value: t.Any, secret: bool, found: "set[str]", depth: int) -> None:
    if not depth:
        return
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, str):
        if secret and not _DOTTED.fullmatch(value):
            found.add(value)
        found.update(passwords(value))
    elif isinstance(value, dict):
        for key, inner in value.items():
            _walk(str(key), inner, secret or (name not in NAMED and _is_secret(str(key))), found, depth - 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for inner in value:
            _walk("", inner, secret, found, depth - 1)


def passwords(url: str) -> "set[str]":
    """Return the password of a URL, as it is written and as it is meant."""
    found = re.match(r"\w[\w+.-]*://[^/]*?:(.*)@", url, re.DOTALL)
    return {found.group(1), urllib.parse.unquote(found.group(1))} if found else set()
