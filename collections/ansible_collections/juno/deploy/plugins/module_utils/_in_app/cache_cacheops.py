# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: the results of queries that cacheops keeps in Redis, outside of CACHES.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

Facts behind it: its own invalidate_all() is a FLUSHDB, of a database that a queue may live in. What it has stored are
the keys q: (queries), as: and c: (functions, views, fragments), each with a hash. Without them it asks the database
again. The others say which results a change of a row takes away; they stay, since new workers may be storing some.
"""

import re
import typing as t

FAMILY = "cacheops"
#: Its app may stand in INSTALLED_APPS by its own name, or by its configuration.
APPS = ("cacheops", "cacheops.apps.")
STORED = re.compile(r"(?:^|[^a-z])(?:q|as|c):[0-9a-f]{32}$")
BESIDE = re.compile(r"(?:^|[^a-z])(?:conj|schemes|asp):")
#: What is told of it where others tell how they make their keys.
TOLD: "dict[str, t.Any]" = {
    "key_prefix": "",
    "keys_begin_with": "",
    "version": "",
    "version_type": "int",
    "timeout": None,
    "key_function": "",
    "key_example": None,
    "key_error": "",
}


def query_caches(settings: t.Any, mask: "t.Callable[[str], str]") -> "list[dict[str, t.Any]]":
    """Return it as another cache, where it is at work; C(mask) hides passwords."""
    apps = [str(one) for one in settings.INSTALLED_APPS]
    at_work = any(one == APPS[0] or one.startswith(APPS[1]) for one in apps)
    if not at_work or not getattr(settings, "CACHEOPS_ENABLED", True):
        return []
    place = mask(_place(settings))
    return [
        {
            "alias": FAMILY if FAMILY not in settings.CACHES else FAMILY + " (queries)",
            "backend": FAMILY,
            "family": FAMILY,
            "locations": [place],
            "key": f"{FAMILY} {place}",
            "nodes": [],
            "options": [],
            "key_prefix": "",
            "version": "",
            "begins": "",
            "earlier": [],
            "told": TOLD,
        }
    ]


def _place(settings: t.Any) -> str:
    """Return where it keeps them, in the form of a URL."""
    conf, sentinel = getattr(settings, "CACHEOPS_REDIS", None), getattr(settings, "CACHEOPS_SENTINEL", None)
    if sentinel:
        return "redis://{}/{}".format(sentinel.get("service_name", ""), sentinel.get("db", 0))
    if isinstance(conf, str):
        return conf
    conf = conf or {}
    if conf.get("unix_socket_path"):
        return "unix://{}?db={}".format(conf["unix_socket_path"], conf.get("db", 0))
    return "redis://{}:{}/{}".format(conf.get("host", "localhost"), conf.get("port", 6379), conf.get("db", 0))


class Stored:
    """Which keys of its database hold what it has stored, and which are others'."""

    def __init__(self) -> None:
        self.others = 0

    def takes(self, name: str) -> bool:
        """Return whether a key is to go, and count it where it is another's."""
        if STORED.search(name):
            return True
        self.others += not BESIDE.search(name)
        return False

    def counts(self) -> "dict[str, int]":
        """Return the counts."""
        return {"sessions": 0, "others": self.others, "kept": 0}
