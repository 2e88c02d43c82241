# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that an access log shows most often. Private to juno.deploy: no stable interface.

Facts behind it: neither gunicorn nor the proxy writes an access log unless told to; HAProxy writes the status before
the request, all others after it. What stands in a log was written by visitors, so it is hostile input: a line is read
as a whole, since a user agent or a user's name may be made to look like a request that was answered.
"""

from __future__ import annotations

import collections
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable

#: A page must have been asked for so often: a path that one visitor has (a token in a mail) is nobody else's business.
FEWEST = 3
MOST_LINE_CHARACTERS = 4096
MOST_PATH_CHARACTERS = 300
_REQUEST = r"\"GET (?P<path>/[^\s\"?#]*) HTTP/[0-9.]+\""
#: Common and combined log format, as gunicorn, uvicorn, nginx and runserver write it: the request is the first that is
#: quoted, and the status comes right after it.
_COMMON = re.compile(r"[^\"]*" + _REQUEST + r" (?:200|\[200\])(?: .*)?")
#: HAProxy's httplog: client, date, frontend, server, times, status, bytes, cookies, termination, counts, queues,
#: captured headers, request.
_HAPROXY = re.compile(
    r"(?:[^\"{]*: )?[^\s\"{]+ \[[^\]\s\"{]+\] [^\s\"{]+ [^\s\"{]+ [+-]?\d+(?:/[+-]?\d+)+ 200 \+?\d+ \S+ \S+ \S{4} "
    r"\d+(?:/\d+){3}/\+?\d+ \d+/\d+ (?:\{[^\"]*\} )?" + _REQUEST
)
#: Our own requests are no visitors.
_OURS = '"juno.deploy'
_FILE = re.compile(
    r"\.(?:css|js|mjs|map|json|xml|txt|ico|png|jpe?g|gif|svg|webp|avif|woff2?|ttf|otf|eot|pdf|zip|gz|mp[34]|webm|wasm)$",
    re.I,
)


def requested(line: str) -> str:
    """Return the path of a page that a line of an access log tells was asked for and had; nothing for another line."""
    line = line[:MOST_LINE_CHARACTERS]
    if "GET /" not in line or _OURS in line:
        return ""
    found = _COMMON.fullmatch(line) or _HAPROXY.fullmatch(line)
    path = found["path"] if found else ""
    odd = path.startswith("//") or len(path) > MOST_PATH_CHARACTERS or not path.isprintable() or "\\" in path
    return "" if odd or _FILE.search(path) else path


def most_often(lines: Iterable[str], most: int, without: Iterable[str]) -> list[str]:
    """Return the pages that were asked for most often, not fewer than C(FEWEST) times; in case of a tie by path."""
    counts = collections.Counter(map(requested, lines))
    for path in ("", *without):
        counts.pop(path, None)
    often = sorted((-count, path) for path, count in counts.items() if count >= FEWEST)
    return [path for _count, path in often[:most]]
