# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Headers that pages of the site are asked for with, and that nobody is shown. Private to juno.deploy.

A login that a front proxy wants, say. They are in the memory of the processes that ask for pages, and of no file: so
they are no part of a spec that a journal keeps, and what asks (C(_base.http), the availability probe) takes them here.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import masking
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "Authorization"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Headers that have an option of their own.
_ELSEWHERE = ("Host", "X-Forwarded-Proto")
#: Headers that the requests could not be made with, or not be read.
_OWN = frozenset(
    (
        *("Accept-Encoding", "Connection", "Content-Length", "Expect", "Keep-Alive", "Range", "Te", "Trailer"),
        *("Transfer-Encoding", "Upgrade"),
    )
)

_sent: dict[str, str] = {}


def check(headers: Mapping[str, t.Any]) -> None:
    """See that headers can be sent, and can be kept out of what is shown.

    :raises BadInputError: one can't; the message has no value, and only a name that is one.
    """
    names: set[str] = set()
    for number, (given, value) in enumerate(headers.items(), 1):
        name = _named(given)
        if not _TOKEN.fullmatch(name):
            raise BadInputError(
                f"Name {number} in 'check_headers' is no name of a header (letters, digits and dashes): correct it."
            )
        if name in _ELSEWHERE:
            raise BadInputError(f"{name} in 'check_headers' has an option of its own: set 'headers' ({name}) instead.")
        if name in _OWN:
            raise BadInputError(f"{name} in 'check_headers' is set by what asks for the pages: leave it out.")
        if name in names:
            raise BadInputError(f"'check_headers' has {name} more than once: leave one.")
        names.add(name)
        _check_value(name, _text(value))


def _check_value(name: str, value: str) -> None:
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
        raise BadInputError(
            f"The value of {name} in 'check_headers' has a line break or another control character: write it in one "
            "line (in YAML a text after '|' ends with a line break)."
        )
    if len(value.strip()) < masking.LEAST_LETTERS:
        raise BadInputError(
            f"The value of {name} in 'check_headers' has less than {masking.LEAST_LETTERS} characters, so it could not "
            "be kept out of messages: set a longer one, or leave it out."
        )
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise BadInputError(
            f"The value of {name} in 'check_headers' has characters that no header can have: encode it."
        ) from None


def use(headers: Mapping[str, t.Any]) -> None:
    """Let this process, and its forks, ask for each page with headers, and keep these out of what it tells."""
    _sent.clear()
    _sent.update({_named(name): _text(value).strip() for name, value in headers.items()})
    for value in _sent.values():
        for secret in _secrets(value):
            masking.known.add(secret)


def take(headers: Mapping[str, t.Any]) -> None:
    """Do so with what a person set.

    :raises BadInputError: one can't be sent, or not be kept out of messages.
    """
    check(headers)
    use(headers)


def added(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers that anybody may see, and those that this process sends beside them."""
    return {**headers, **_sent}


def are_set() -> bool:
    """Return whether this process sends any."""
    return bool(_sent)


def hint(status: int, headers: Mapping[str, str]) -> str:
    """Return what to do about an answer that asks for a login; nothing for another one.

    :param headers: those of the answer, by names in lower case.
    """
    wanted = re.match(r"[A-Za-z][A-Za-z0-9-]{0,20}", headers.get("www-authenticate", ""))
    if status != 401 or not wanted:
        return ""
    if NAME in _sent:
        return f"the login in 'check_headers' ({NAME}) is refused: correct it"
    return f"it asks for a login ({wanted[0]}): set 'check_headers' ({NAME})"


def _named(name: t.Any) -> str:
    # Upper and lower case are the same in it.
    return str(name).title()


def _text(value: t.Any) -> str:
    return "" if value is None else str(value)


def _secrets(value: str) -> Iterator[str]:
    """Return in which forms the secret of a value may be printed: as it is, without its scheme, decoded."""
    yield value
    scheme, _space, rest = value.partition(" ")
    if not rest:
        return
    yield rest.strip()
    if scheme.lower() == "basic":
        try:
            login = base64.b64decode(rest, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return
        yield login
        yield login.partition(":")[2]
