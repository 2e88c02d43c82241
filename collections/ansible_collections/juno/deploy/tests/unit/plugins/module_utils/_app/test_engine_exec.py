# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in a container, by an Engine whose exec has a given end."""

from __future__ import annotations

import threading
import typing as t

import docker.errors
import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine as app_engine
from ansible_collections.juno.deploy.plugins.module_utils._app import engine_exec
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import EngineError

from .listed_containers import LISTED


class Exec:
    """The exec part of an Engine, with a given end."""

    def __init__(self, output: tuple[bytes | None, bytes | None] = (None, None), rc: int = 0) -> None:
        self.output, self.rc = output, rc
        self.error: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()
        self.api = self

    def exec_create(self, _container: str, argv: list[str], **_options: t.Any) -> dict[str, str]:
        if self.error:
            raise self.error
        assert isinstance(argv, list)
        return {"Id": "1"}

    def exec_start(self, _number: str, *, demux: bool) -> tuple[bytes | None, bytes | None]:
        assert demux
        self.go_on.wait(10)
        return self.output

    def exec_inspect(self, _number: str) -> dict[str, int]:
        return {"ExitCode": self.rc}


@pytest.mark.parametrize(
    ("output", "stdout", "stderr"),
    [((None, None), "", ""), ((b"a\xff", None), "a�", ""), ((b"a", b"b"), "a", "b")],
)
def test_output_is_given_whole_and_apart(output: tuple[bytes | None, bytes | None], stdout: str, stderr: str) -> None:
    ended = engine_exec.exec_argv(Exec(output, rc=3), app_engine.parse_container(LISTED), ["true"], timeout_seconds=5)
    assert (ended.rc, ended.stdout, ended.stderr) == (3, stdout, stderr)


def test_a_command_that_takes_too_long_is_left() -> None:
    engine = Exec()
    engine.go_on.clear()
    with pytest.raises(EngineError, match=r"container shop-web-1 took longer than 0.05 s"):
        engine_exec.exec_argv(engine, app_engine.parse_container(LISTED), ["sleep", "9"], timeout_seconds=0.05)
    engine.go_on.set()


def test_a_container_that_refuses_a_command_is_told() -> None:
    engine = Exec()
    engine.error = docker.errors.APIError("409 Conflict: container is not running")
    with pytest.raises(EngineError, match=r"in the container shop-web-1 \(409 Conflict") as caught:
        engine_exec.exec_argv(engine, app_engine.parse_container(LISTED), ["true"], timeout_seconds=5)
    assert caught.value.details == {"cmd": ["true"]}
