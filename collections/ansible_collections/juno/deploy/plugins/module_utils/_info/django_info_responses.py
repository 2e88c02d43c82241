# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app's answers say about caching. Private to juno.deploy: no stable interface.

C(cache_page) and the cache middleware also tell browsers for how long to keep a page, and what a browser keeps no
server can call back. So it counts what an answer carries, not what a setting says.
"""

from __future__ import annotations

import concurrent.futures
import typing as t
import urllib.parse

from ansible_collections.juno.deploy.plugins.module_utils._base import http
from ansible_collections.juno.deploy.plugins.module_utils._base import site as verify_site
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._verify.lifetimes import (
    directives,
    expires_seconds,
    kept_seconds,
    seconds_of,
)

if t.TYPE_CHECKING:
    from collections.abc import Sequence

#: More would be load, not a look.
MOST_PATHS = 20
CONCURRENCY = 4
#: Only the headers are wanted; a page is read this far, so that the server sees a visitor who stays.
BODY_BYTES = 1024 * 1024


def require_paths(paths: Sequence[str]) -> None:
    """See that paths can be asked for.

    :raises BadInputError: there are too many, or one is no path.
    """
    if len(paths) > MOST_PATHS:
        raise BadInputError(f"{len(paths)} paths are too many: name {MOST_PATHS} at most.")
    for path in paths:
        if not path.startswith("/") or path.startswith("//"):
            raise BadInputError(f"'{path}' is no path: write it with one slash at the beginning, for example /jobs/.")


def ask(
    address: str, port: int, paths: Sequence[str], *, host: str, forwarded_proto: str, timeout_seconds: float
) -> list[dict[str, t.Any]]:
    """Ask a server for each path, a few at a time, and describe the answers; one that gives none has an C(error).

    :raises BadInputError: the host is no host name.
    """
    target = f"[{address}]" if ":" in address else address
    site = verify_site.parse_site(
        f"http://{target}:{port}",
        host=host,
        forwarded_proto=forwarded_proto,
        timeout_seconds=timeout_seconds,
        max_body_bytes=BODY_BYTES,
    )
    where = http.resolve(address, port, timeout_seconds)
    with concurrent.futures.ThreadPoolExecutor(CONCURRENCY) as pool:
        return [describe(one) for one in pool.map(lambda path: http.fetch(site, where, path), paths)]


def unasked(paths: Sequence[str], why: str) -> list[dict[str, t.Any]]:
    """Describe paths that can't be asked for, all for the same reason."""
    return [describe(verify_site.Answer(path=path, failure=why)) for path in paths]


def describe(answer: verify_site.Answer) -> dict[str, t.Any]:
    """Describe one answer."""
    headers = answer.headers
    control = directives(headers.get("cache-control", ""))
    return {
        "path": answer.path,
        # A broken body doesn't matter here: the headers came.
        "status": answer.status,
        "error": "" if answer.status else answer.failure,
        "html": answer.is_html,
        "cache_control": headers.get("cache-control"),
        "max_age": seconds_of(control.get("max-age")),
        "shared_max_age": seconds_of(control.get("s-maxage")),
        "age": seconds_of(headers.get("age")),
        "expires_seconds": expires_seconds(headers),
        "kept_seconds": kept_seconds(headers),
        "vary": [one.strip() for one in headers.get("vary", "").split(",") if one.strip()],
        "etag": "etag" in headers,
        "sets_cookie": "set-cookie" in headers,
        # The query of a redirect may carry a token.
        "location": without_query(headers["location"]) if "location" in headers else None,
        "milliseconds": answer.milliseconds,
    }


def without_query(url: str) -> str:
    """Return a URL without user, password, query and fragment; nothing of one that can't be read."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return ""
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
