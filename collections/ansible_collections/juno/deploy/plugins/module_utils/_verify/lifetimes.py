# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long browsers and proxies keep an answer. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import email.utils
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping


def directives(header: str) -> dict[str, str]:
    """Read Cache-Control; names in lower case, an empty value for those that have none."""
    found = re.findall(r"([\w-]+)\s*(?:=\s*(?:\"([^\"]*)\"|([^\s,]*)))?", header)
    return {name.lower(): quoted or plain for name, quoted, plain in found}


def seconds_of(text: str | None) -> int | None:
    """Read a number of seconds; nothing for what is none."""
    return int(text) if text and text.isascii() and text.isdigit() else None


def _time(text: str | None) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() if text else None
    except (TypeError, ValueError):
        return None  # "0" and the like, which mean a time that is over


def expires_seconds(headers: Mapping[str, str]) -> int | None:
    """Return the time from Date to Expires; 0 where that is over or is no date, nothing without Expires."""
    if "expires" not in headers:
        return None
    expires, now = _time(headers["expires"]), _time(headers.get("date"))
    return max(0, round(expires - now)) if expires is not None and now is not None else 0


def kept_seconds(headers: Mapping[str, str]) -> int:
    """Return for how long a browser may show the answer again without asking, by RFC 9111: max-age before Expires."""
    control = directives(headers.get("cache-control", ""))
    if "no-store" in control or "no-cache" in control:
        return 0
    age = seconds_of(headers.get("age")) or 0
    lifetime = seconds_of(control.get("max-age"))
    if "max-age" not in control:
        lifetime = expires_seconds(headers)
    return max(0, (lifetime or 0) - age)


def longest_seconds(headers: Mapping[str, str]) -> int:
    """Return for how long a browser, or a proxy that many share, may show such an answer again without asking.

    How old this one is already says nothing of the next.
    """
    control = directives(headers.get("cache-control", ""))
    shared = 0 if "no-store" in control or "private" in control else seconds_of(control.get("s-maxage")) or 0
    return max(shared, kept_seconds({name: value for name, value in headers.items() if name != "age"}))
