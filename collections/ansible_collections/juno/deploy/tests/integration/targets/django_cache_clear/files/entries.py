# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put entries or sessions into the caches of a Django site, or say how many are there: JSON, by another process.

entries.py put|get ALIAS...            20 pages
entries.py put_sessions|get_sessions ALIAS...    3 sessions, as the session engine "cache" keeps them
entries.py put_responses|get_responses ALIAS...  20 pages as responses: 10 name a style sheet, 2 are packed
"""

import gzip
import json
import os
import sys

sys.path.insert(0, os.getcwd())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
caches = __import__("django.core.cache", fromlist=["caches"]).caches


def response(number):
    """Make a page as the cache middleware keeps it; the first ten name css/site.0123456789ab.css."""
    kind = __import__("django.http", fromlist=["HttpResponse"]).HttpResponse
    name = "css/site.0123456789ab.css" if number < 10 else "css/other.0123456789ab.css"
    content = f'<link rel="stylesheet" href="/static/{name}">'.encode()
    return kind(gzip.compress(content) if number >= 18 else content)


def main():
    verb, *aliases = sys.argv[1:]
    pages = [f"page{number}" for number in range(20)]
    sessions = [f"django.contrib.sessions.cache{number:032}" for number in range(3)]
    action, _sessions, _rest = verb.partition("_")
    there = {}
    for alias in aliases:
        for key in sessions if verb.endswith("sessions") else pages:
            if action == "put":
                value = response(int(key[4:])) if verb.endswith("responses") else "old"
                caches[alias].set(key, value, 600)
            found = caches[alias].get(key)
            there[alias] = there.get(alias, 0) + (found is not None if verb.endswith("responses") else found == "old")
    sys.stdout.write(f"\n{json.dumps(there)}\n")


if __name__ == "__main__":
    main()
