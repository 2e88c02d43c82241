# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's code, packed as it is sent, and imported by another Python."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
import zipfile

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._state import kept_code
from ansible_collections.juno.deploy.plugins.plugin_utils import _code

IMPORTS = """
import sys
sys.path[0] = sys.argv[1]
from ansible_collections.juno.deploy.plugins.module_utils._recovery import boot
from ansible_collections.juno.deploy.plugins.module_utils._release import deployer, look_only, steps
print(deployer.__file__, sorted(steps.STEPS))
"""
#: One that has nothing but what its package has.
PYTHONS = sorted({one for one in ("/usr/bin/python3", sys.executable) if os.path.exists(one)})


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return kept_code.keep(str(tmp_path_factory.mktemp("state")), _code.digest(), _code.archive())


@pytest.mark.parametrize("python", PYTHONS)
def test_it_is_all_that_a_deployer_needs(package, python):
    done = subprocess.run([python, "-I", "-c", IMPORTS, package], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith(
        f"{package}/ansible_collections/juno/deploy/plugins/module_utils/_release/deployer.py ["
    )
    assert "'record', 'recover', 'reverse'" in done.stdout


def test_collections_of_the_host_are_not_taken_for_it(package, tmp_path):
    """Where ansible is installed on the host, that may have an ansible_collections of its own."""
    place = tmp_path / "ansible_collections/juno/deploy/plugins/module_utils"
    place.mkdir(parents=True)
    for folder in (place, *list(place.parents)[:4]):
        (folder / "__init__.py").write_text("")
    (place / "_release.py").write_text("raise SystemExit('the wrong one')")
    argv = [sys.executable, "-c", IMPORTS, package]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith(package)


def test_the_digest_is_of_the_content(tmp_path, monkeypatch):
    before = _code.digest()
    assert len(before) == 24
    assert _code.archive() == _code.archive()
    names = [name for name, _text in _code._files()]
    monkeypatch.setattr(_code, "_files", lambda: iter([(names[-1], b"x = 1")]))
    _code.digest.cache_clear()
    other = _code.digest()
    monkeypatch.undo()
    _code.digest.cache_clear()
    assert other != before
    assert _code.digest() == before


def test_all_of_it_is_below_one_place_and_nothing_else_is_sent():
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(_code.archive()))) as packed:
        names = packed.namelist()
        assert packed.testzip() is None
    assert len(names) == len(set(names))
    assert {name for name in names if not name.startswith(_code._PLACE)} == set(_code._PACKAGES[:-1])
    # Each folder is a package, so that Python looks no further.
    assert {os.path.dirname(name) for name in names} == {os.path.dirname(one) for one in names if "__init__" in one}
    assert not [name for name in names if not name.endswith(".py") or name.startswith(("/", "."))]
