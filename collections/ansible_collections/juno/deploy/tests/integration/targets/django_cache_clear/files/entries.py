# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put entries or sessions into the caches of a Django site, or say how many are there: JSON, by another process.

entries.py put|get ALIAS...            20 pages
entries.py put_sessions|get_sessions ALIAS...    3 sessions, as the session engine "cache" keeps them
"""

import json
import os
import sys

sys.path.insert(0, os.getcwd())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
caches = __import__("django.core.cache", fromlist=["caches"]).caches


def main():
    verb, *aliases = sys.argv[1:]
    pages = [f"page{number}" for number in range(20)]
    sessions = [f"django.contrib.sessions.cache{number:032}" for number in range(3)]
    action, _sessions, _rest = verb.partition("_")
    there = {}
    for alias in aliases:
        for key in sessions if verb.endswith("sessions") else pages:
            if action == "put":
                caches[alias].set(key, "old", 600)
            there[alias] = there.get(alias, 0) + (caches[alias].get(key) == "old")
    sys.stdout.write(f"\n{json.dumps(there)}\n")


if __name__ == "__main__":
    main()
