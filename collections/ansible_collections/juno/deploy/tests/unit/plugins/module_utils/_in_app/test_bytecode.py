# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-app modules that purge a container's own bytecode, and compile, run as there: python -c, with a prefix."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._bytecode.app import in_app_argv, parse_results
from ansible_collections.juno.deploy.plugins.module_utils._in_app import bytecode, bytecode_compile

if t.TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

SPEC: dict[str, t.Any] = {"mode": "stale", "remove": True, "exclude": [".git"], "most_paths": 9, "virtualenvs": False}


def run(module: ModuleType, prefix: Path | None = None, **spec: t.Any) -> t.Any:
    argv = in_app_argv(sys.executable, module, {**SPEC, **spec})
    # Without our own, which would be written to and counted.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = {**kept, "PYTHONPYCACHEPREFIX": str(prefix or "")}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    return parse_results(done.stdout)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app"
    for name in ("fine.py", "pkg/gone.py", "pkg/edited.py", "pkg/younger.py", "pkg/unchecked.py", "pkg/cut.py"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("N = 1\n")
    return path


@pytest.fixture
def kept(app: Path) -> Path:
    """Compile the app apart from its sources, and change these."""
    prefix = app.parent / "kept"
    assert run(bytecode_compile, prefix, directories=[str(app)]) == [6, 0]
    tree = prefix / str(app).lstrip("/") / "pkg"
    pyc = {name: tree / f"{name}.{sys.implementation.cache_tag}.pyc" for name in ("younger", "unchecked", "cut")}
    (app / "pkg/gone.py").unlink()
    (app / "pkg/edited.py").write_text("N = 10\n")
    os.utime(pyc["younger"], (1, 1))
    pyc["cut"].write_bytes(pyc["cut"].read_bytes()[:9])
    data = pyc["unchecked"].read_bytes()
    pyc["unchecked"].write_bytes(data[:4] + (1).to_bytes(4, "little") + data[8:])
    return prefix


def names(prefix: Path) -> list[str]:
    return sorted(path.name.partition(".")[0] for path in prefix.rglob("*.pyc"))


def test_it_tells_what_python_it_is(tmp_path: Path) -> None:
    assert run(bytecode, tmp_path) == {
        "tag": sys.implementation.cache_tag,
        "magic": importlib.util.MAGIC_NUMBER.hex(),
        "prefix": str(tmp_path),
    }


@pytest.mark.parametrize(
    ("mode", "reasons", "left"),
    [
        (
            "stale",
            {"source_gone": 1, "source_changed": 1, "source_younger": 1, "unchecked": 1, "damaged": 1},
            ["fine"],
        ),
        ("orphans", {}, ["cut", "edited", "fine", "gone", "unchecked", "younger"]),
        ("all", {}, []),
    ],
)
def test_a_prefix_is_purged(app: Path, kept: Path, mode: str, reasons: dict[str, int], left: list[str]) -> None:
    spec: dict[str, t.Any] = {"mode": mode, "directories": [str(app), "/no/such/directory"]}
    before = names(kept)
    ((_top, checked),) = run(bytecode, kept, **spec, remove=False)["purged"]
    assert names(kept) == before
    ((top, done),) = run(bytecode, kept, **spec)["purged"]
    assert top == f"{kept}{app}"
    for result in (checked, done):
        assert (result["reasons"], result["files_removed"], result["failed_count"]) == (reasons, 6 - len(left), 0)
    assert names(kept) == left
    ((_top, again),) = run(bytecode, kept, **spec)["purged"]
    assert again["files_removed"] == 0


def test_nothing_is_touched_without_a_prefix(app: Path) -> None:
    assert run(bytecode_compile, directories=[str(app)]) == [6, 0]
    assert "purged" not in run(bytecode, directories=[str(app)], mode="all")
    assert len(names(app)) == 6


def test_only_what_is_not_current_is_compiled(app: Path) -> None:
    assert run(bytecode_compile, directories=[str(app)]) == [6, 0]
    assert run(bytecode_compile, directories=[str(app), str(app / "pkg")]) == [0, 0]
    (app / "pkg/edited.py").write_text("N = 10\n")
    assert run(bytecode_compile, directories=[str(app)]) == [1, 0]


def test_what_a_purge_leaves_out_is_not_compiled(app: Path) -> None:
    for name in (".git/hook.py", "venv/lib/m.py", "media/m.py", "__pycache__/copy.py"):
        (app / name).parent.mkdir(parents=True)
        (app / name).write_text("N = 1\n")
    (app / "venv/pyvenv.cfg").touch()
    (app / "linked").symlink_to(app / "media")
    assert run(bytecode_compile, directories=[str(app)], exclude=[".git", "media"]) == [6, 0]
    assert run(bytecode_compile, directories=[str(app)], exclude=[".git"], virtualenvs=True) == [2, 0]


def test_a_source_that_cannot_be_compiled_is_counted(app: Path) -> None:
    (app / "python2.py").write_text("print 'x'\n")
    (app / "template.py").write_bytes(b"{{ name }} = \0")
    (app / "latin.py").write_bytes(b"N = '\xe9'\n")
    assert run(bytecode_compile, directories=[str(app)]) == [6, 3]


def test_many_are_shared_among_processes(app: Path) -> None:
    for number in range(100):
        (app / f"m{number}.py").write_text("N = 1\n" if number % 10 else "N =\n")
    assert run(bytecode_compile, directories=[str(app)]) == [96, 10]
    assert len(names(app)) == 96


def test_nothing_is_written_through_a_link_and_no_pipe_is_read(app: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (app / "pkg/__pycache__").symlink_to(tmp_path / "outside")
    os.mkfifo(app / "pipe.py")
    assert run(bytecode_compile, directories=[str(app)]) == [1, 6]
    assert list((tmp_path / "outside").iterdir()) == []
