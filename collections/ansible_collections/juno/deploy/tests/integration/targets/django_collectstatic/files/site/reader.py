# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the manifest and every file that it names, as visitors do, until a file says stop; tell what was bad."""

import json
import os
import sys

root, stop = sys.argv[1:]
bad = []
rounds, seen = 0, set()


def read(name):
    try:
        with open(os.path.join(root, name)) as file:
            text = file.read()
    except OSError as exc:
        bad.append(f"{name}: {exc.strerror}")
        return ""
    if not text:
        bad.append(f"{name}: empty")
    return text


def scan(folder):
    """List a folder as WhiteNoise does when a worker starts: a name that goes meanwhile ends it."""
    for entry in os.scandir(folder):
        if entry.is_dir():
            scan(entry.path)
        else:
            entry.stat()


while not os.path.exists(stop):
    rounds += 1
    text = read("staticfiles.json")
    for key, value in json.loads(text or '{"paths": {}}')["paths"].items():
        read(key)
        read(value)
        seen.add(value)
    try:
        scan(root)
    except OSError as exc:
        bad.append(f"scan: {exc}")
sys.stdout.write(json.dumps({"rounds": rounds, "seen": len(seen), "bad": sorted(set(bad))}) + "\n")
