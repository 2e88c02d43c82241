# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code for the app's own Python, compiled and imported by the oldest one that it may be."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils import _in_app

FOLDER = pathlib.Path(_in_app.__file__).parent
FOUND = [
    *map(str, pathlib.Path("~/.pyenv/versions").expanduser().glob("3.6.*/bin/python")),
    shutil.which("python3.6") or "",
]
IMPORT = """
import importlib, sys, warnings
warnings.simplefilter("error")
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    print(importlib.import_module(name).__name__)
"""


@pytest.mark.skipif(not any(FOUND), reason="there is no Python 3.6 here")
def test_all_of_it_is_imported_by_python_3_6():
    names = [f"{_in_app.__name__}.{path.stem}" for path in sorted(FOLDER.glob("*.py")) if path.name != "__init__.py"]
    python = next(filter(None, FOUND))
    argv = [python, "-B", "-c", IMPORT, str(FOLDER.parents[5]), *names]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == names
    assert len(names) > 20
