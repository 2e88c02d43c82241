# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static files that are edited at random come out as a full run of a real Django makes them.

JUNO_SOAK=1 makes 300 edits of each. JUNO_DJANGOS names further Djangos: words of the form PYTHON=FOLDER, where FOLDER
has Django, WhiteNoise and brotli (C(pip install --target)), and JUNO_EDITS_SEED a seed to repeat.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys

import pytest

pytest.importorskip("django.conf")
pytest.importorskip("whitenoise.storage")

SCRIPT = pathlib.Path(__file__).with_name("static_edits.py")
COLLECTIONS = SCRIPT.parents[8]
SOAK = bool(os.environ.get("JUNO_SOAK"))
STORAGES = ("manifest", "lenient", "aggregating", "whitenoise", "only_hashed", "compressed", "plain")
DJANGOS = [(sys.executable, ""), *(word.split("=", 1) for word in os.environ.get("JUNO_DJANGOS", "").split())]
#: Edits in the daily run, all storages together about 60; and in the soak.
EDITS = 300 if SOAK else 9


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize(("python", "folder"), DJANGOS)
def test_what_is_made_of_edits_is_what_a_full_run_makes(tmp_path, python, folder, storage):
    seed = os.environ.get("JUNO_EDITS_SEED") or str(random.randrange(10**6))  # noqa: S311 - it picks edits
    places = [str(COLLECTIONS), *([folder] if folder else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [python, str(SCRIPT), str(tmp_path), storage, seed, str(EDITS)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    said = f"repeat with JUNO_EDITS_SEED={seed}: {done.stdout[-4000:]} {done.stderr[-2000:]}"
    assert done.returncode == 0, said
    seen = json.loads(done.stdout)
    assert seen["wrong"] == "", said
    assert len(seen["edits"]) == EDITS, said
    assert not SOAK or seen["incremental"] > EDITS / 3, said
