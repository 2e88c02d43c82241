# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep an app's secrets out of what is printed and kept. Private to juno.deploy: no stable interface.

An app prints its secrets where nobody expects it: an error names the address of the database, or the settings that it
could not read. So what is secret is known by its value: from the environment of the services, C(.env), files of compose
secrets, the containers themselves, and, once something failed, assignments in the settings' sources.
"""

from __future__ import annotations

import json
import os
import re
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._base import safe_files
from ansible_collections.juno.deploy.plugins.module_utils._in_app.masking import MASK, PLAIN_NAMES, passwords

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECRET_NAME = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|PASS(?![A-Z])|PWD|SECRET|TOKEN|KEY(?!WORD)|CREDENTIAL|DSN|SALT|SIGNATURE|PRIVATE|AUTH$",
    re.IGNORECASE,
)
#: What they name is a place, not a secret.
_PLACE_NAME = re.compile(r"(_FILE|_PATH|_DIR|_ID|_NAME|_PREFIX|_HEADER|_URL_NAME)$", re.IGNORECASE)
#: A shorter one is part of too many words.
LEAST_LETTERS = 6
#: Values that many have, and that messages are full of.
_COMMON = frozenset(
    {
        "password",
        "passwd",
        "secret",
        "changeme",
        "default",
        "example",
        "localhost",
        "postgres",
        "postgresql",
        "mariadb",
        "memcached",
        "rabbitmq",
        "django",
        "development",
        "production",
        "staging",
        "testing",
        "unsafe",
        "insecure",
        "enabled",
        "disabled",
        "required",
        "optional",
    }
)
#: A setting or an entry of one, with a text as its value: C(SECRET_KEY = "..."), C("PASSWORD": "...").
_LITERAL = re.compile(
    r"""^[ \t]*(?:["'](?P<entry>\w+)["'][ \t]*:|(?P<name>\w+)[ \t]*(?::[ \t]*\w+[ \t]*)?=)[ \t]*"""
    r"""[rbuf]?(?P<quote>["'])(?P<value>(?:(?!(?P=quote)).)+)(?P=quote)""",
    re.MULTILINE | re.IGNORECASE,
)
_VARIABLE = re.compile(r"^[ \t]*(?:export[ \t]+)?(?P<name>\w+)[ \t]*=[ \t]*(?P<value>.*?)[ \t]*$", re.MULTILINE)
#: Sources of settings that are looked through, and how large one may be.
MOST_SOURCES = 60
MOST_BYTES = 200_000
_NOT_LOOKED_INTO = frozenset({".git", "node_modules", "__pycache__", "site-packages", "staticfiles", "media", "static"})
_LEVELS = 4


class Known:
    """The secrets that this process knows of, and what takes them out of a text."""

    def __init__(self) -> None:
        self.secret: set[str] = set()
        #: Values that stand elsewhere without being called a secret: a user's name that is its password, too.
        self.plain: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._made_from = (0, 0)

    def learn(self, values: Mapping[str, t.Any]) -> None:
        """Take in what environment variables or settings hold, by their names."""
        for name, value in values.items():
            text = "" if value is None else str(value)
            inside = passwords(text)
            if inside:
                self.secret.update(inside)
            elif is_secret(name):
                self.secret.add(text)
            else:
                self.plain.add(text)

    def add(self, value: str) -> None:
        """Take in one that is known to be secret."""
        self.secret.add(value)

    def hide(self, text: str) -> str:
        """Take every secret out of a text, and user and password out of every URL."""
        found = (len(self.secret), len(self.plain))
        if found != self._made_from:
            self._pattern, self._made_from = pattern(self.secret - self.plain), found
        text = re.sub(r"(\w://)[^\s\"]*@", rf"\1{MASK}@", text)
        return self._pattern.sub(MASK, text) if self._pattern else text


def is_secret(name: str) -> bool:
    """Return whether a variable or a setting is named like something that nobody is to see."""
    return bool(SECRET_NAME.search(name)) and name not in PLAIN_NAMES and not _PLACE_NAME.search(name)


def is_common(value: str) -> bool:
    """Return whether a value is too short, or too common a word, to be taken out of messages."""
    short = len(value) < LEAST_LETTERS or (value.isdigit() and len(value) < LEAST_LETTERS + 2)
    return short or value.lower() in _COMMON or value.startswith("/run/secrets/")


def pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    """Make one expression of all forms in which values may be printed, the longest first; nothing without any."""
    forms: set[str] = set()
    for value in values:
        if not is_common(value):
            quoted = urllib.parse.quote(value, safe=""), urllib.parse.quote(value)
            forms.update((value, repr(value)[1:-1], json.dumps(value)[1:-1], *quoted))
    return re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None


known = Known()


def hide(text: str) -> str:
    """Take what is secret out of a text."""
    return known.hide(text)


def hide_all(data: t.Any) -> t.Any:
    """Do so in each text of a module's result."""
    if isinstance(data, str):
        return hide(data)
    if isinstance(data, dict):
        return {key: hide_all(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [hide_all(one) for one in data]
    return data


def learn_environment(entries: Iterable[str]) -> None:
    """Take in a container's environment, as the Engine lists it: C(NAME=value)."""
    known.learn(dict(one.partition("=")[::2] for one in entries))


def learn_configuration(config: Mapping[str, t.Any], *directories: str) -> None:
    """Take in what a compose project gives its services, and the C(.env) in each of these directories."""
    services = config.get("services") or {}
    known.plain.update((str(config.get("name") or ""), *services))
    for service in services.values():
        for values in (service.get("environment"), (service.get("build") or {}).get("args")):
            if isinstance(values, dict):
                known.learn(values)
    for one in (config.get("secrets") or {}).values():
        if one.get("environment"):
            known.add(os.environ.get(one["environment"], ""))
        if one.get("file"):
            known.add(_text(os.path.dirname(one["file"]), os.path.basename(one["file"])).strip())
    for directory in dict.fromkeys(directories):
        learn_variables(_text(directory, ".env"))


def learn_variables(text: str) -> None:
    """Take in a file of variables, as C(.env)."""
    known.learn({one["name"]: one["value"].strip("\"'") for one in _VARIABLE.finditer(text)})


def learn_settings(directory: str) -> None:
    """Take in the texts that sources of settings below a directory give what is named like a secret."""
    for name in _sources(directory):
        text = _text(directory, name)
        if os.path.basename(name).startswith(".env"):
            learn_variables(text)
            continue
        for one in _LITERAL.finditer(text):
            key = one["entry"] or one["name"]
            if is_secret(key) or passwords(one["value"]):
                known.learn({key: one["value"]})


def learn_settings_of(params: Mapping[str, t.Any]) -> None:
    """Do so for the app that a module is about, where its parameters tell its directory on this host."""
    for name in ("path", "chdir"):
        place = params.get(name)
        if not isinstance(place, str) or not os.path.isabs(place):
            continue
        if any(os.path.lexists(os.path.join(place, one)) for one in ("manage.py", ".git")):
            learn_settings(place)


def _sources(directory: str) -> list[str]:
    found: list[str] = []
    for folder, folders, names in os.walk(directory):
        inside = os.path.relpath(folder, directory)
        depth = 0 if inside == "." else inside.count("/") + 1
        folders[:] = sorted(one for one in folders if one not in _NOT_LOOKED_INTO and depth < _LEVELS)
        for name in sorted(names):
            settings = name.endswith(".py") and (
                "settings" in name or os.path.basename(folder) in ("settings", "config")
            )
            if settings or name.startswith(".env"):
                found.append(os.path.normpath(os.path.join(inside, name)))
        if len(found) > MOST_SOURCES:
            break
    return found[:MOST_SOURCES]


def _text(directory: str, name: str) -> str:
    """Return a file's text; nothing where it can't be read: there is nothing to hide then."""
    try:
        with safe_files.opened(directory or "/", name) as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
