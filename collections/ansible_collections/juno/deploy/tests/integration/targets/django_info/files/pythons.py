# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the Python interpreters of this machine that really run, oldest first, as JSON."""

import glob
import json
import os
import shutil
import subprocess
import sys

ASK = "import ensurepip, json, sys, venv; print(json.dumps([sys.version_info[:2], sys.executable]))"
named = [shutil.which(f"python3.{minor}") for minor in range(6, 20)]
kept = glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python"))
found = {}
for program in [*kept, *named, sys.executable]:
    if program:
        # A shim of a version that is not chosen exists and fails.
        asked = subprocess.run([program, "-c", ASK], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            (major, minor), path = json.loads(asked.stdout)
            found[major, minor] = path
sys.stdout.write(json.dumps([{"minor": minor, "path": path} for (_major, minor), path in sorted(found.items())]))
