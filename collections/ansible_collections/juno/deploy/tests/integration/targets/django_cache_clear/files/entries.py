# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put entries into the caches of a Django site, or say which are there: JSON on stdout, by another process."""

import json
import os
import sys

sys.path.insert(0, os.getcwd())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
caches = __import__("django.core.cache", fromlist=["caches"]).caches


def main():
    verb, *aliases = sys.argv[1:]
    there = {}
    for alias in aliases:
        if verb == "put":
            for number in range(20):
                caches[alias].set(f"page{number}", "old", 600)
        there[alias] = sum(1 for number in range(20) if caches[alias].get(f"page{number}") == "old")
    sys.stdout.write(f"\n{json.dumps(there)}\n")


if __name__ == "__main__":
    main()
