# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as Ansible runs it: a process with JSON arguments."""

from __future__ import annotations

import json
import os
import py_compile
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.juno.deploy.plugins.modules import pycache_purge


def module(*paths: str, expect: int = 0, **arguments: t.Any) -> dict[str, t.Any]:
    given = {"ANSIBLE_MODULE_ARGS": {"path": list(paths), **arguments}}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, str(Path(pycache_purge.__file__))],
        input=json.dumps(given),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == expect, ended.stderr
    return t.cast("dict[str, t.Any]", json.loads(ended.stdout))


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for number in range(3):
        cache = tmp_path / f"app/pkg{number}/__pycache__"
        cache.mkdir(parents=True)
        (cache / "m.cpython-313.pyc").write_bytes(b"0123456789")
    return tmp_path / "app"


def figures(result: dict[str, t.Any]) -> tuple[t.Any, ...]:
    return tuple(result[name] for name in ("changed", "files_removed", "directories_removed", "bytes_freed"))


def test_check_mode_counts_what_the_run_removes(app: Path) -> None:
    assert figures(module(str(app), _ansible_check_mode=True)) == (True, 3, 3, 30)
    assert len(list(app.rglob("*.pyc"))) == 3
    assert figures(module(str(app))) == (True, 3, 3, 30)
    assert figures(module(str(app))) == (False, 0, 0, 0)
    assert sorted(os.listdir(app)) == ["pkg0", "pkg1", "pkg2"]


def test_a_diff_names_the_files(app: Path) -> None:
    result = module(str(app), _ansible_check_mode=True, _ansible_diff=True)
    assert result["diff"]["before"].splitlines() == [
        f"{app}/pkg{number}/__pycache__/m.cpython-313.pyc" for number in range(3)
    ]
    assert "diff" not in module(str(app), _ansible_check_mode=True)


def test_odd_names_make_valid_json(app: Path) -> None:
    odd = os.fsencode(app) + b"/\xff\n/__pycache__"
    os.makedirs(odd)
    for name in (b"\xfe.pyc", b"keep\xfd"):
        os.close(os.open(odd + b"/" + name, os.O_CREAT))
    result = module(str(app), _ansible_diff=True)
    assert f"{app}/\\xff\\n/__pycache__/\\xfe.pyc" in result["diff"]["before"].splitlines()
    assert result["roots"][0]["skipped"] == [
        {"path": f"{app}/\\xff\\n/__pycache__", "reason": "holds other files than bytecode"}
    ]


@pytest.mark.parametrize(
    ("path", "message"), [("/", "of the system"), ("app", "not absolute"), ("/nowhere", "not exist")]
)
def test_a_refused_path_is_one_sentence(app: Path, path: str, message: str) -> None:
    result = module(str(app), path, expect=1)
    assert message in result["msg"]
    assert result["failed"]
    assert len(list(app.rglob("*.pyc"))) == 3


def test_an_excluded_path_is_refused(app: Path) -> None:
    assert "plain names" in module(str(app), exclude=["a/b"], expect=1)["msg"]


def test_stale_tells_what_and_why(tmp_path: Path) -> None:
    source = tmp_path / "pkg/m.py"
    source.parent.mkdir()
    for name in ("m.py", "n.py"):
        (tmp_path / "pkg" / name).write_text("N = 1\n")
        py_compile.compile(str(tmp_path / "pkg" / name))
    source.unlink()
    given: dict[str, t.Any] = {"mode": "stale", "_ansible_diff": True}
    result = module(str(tmp_path), **given)
    assert result["reasons"] == {"source_gone": 1}
    assert result["words"] == "Removed 1 bytecode files: 1 because its source is gone."
    assert result["diff"]["before"].endswith(".pyc (its source is gone)\n")
    assert (result["elsewhere"], "compiled" in result) == ([], False)
    assert not module(str(tmp_path), **given)["changed"]


def test_compile_makes_what_was_removed(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("N = 1\n")
    (tmp_path / "bad.py").write_text("N =\n")
    checked = module(str(tmp_path), compile=True, _ansible_check_mode=True)
    assert (checked["changed"], "compiled" in checked) == (False, False)
    for compiled in (1, 0):
        result = module(str(tmp_path), mode="stale", compile=True)
        assert (result["compiled"], result["not_compiled"], result["changed"]) == (compiled, 1, bool(compiled))
