# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the collection. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t


class JunoError(Exception):
    """Something a person must act on: one sentence saying what is wrong, where, and what to do.

    It is raised where the cause is known and turned into C(fail_json) once, in C(run()) of C(_module).

    :param message: what is wrong, where, and what to do, in one sentence.
    :param details: figures for the result: C(cmd), C(rc), C(stdout), C(stderr), C(servers), ...
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class CommandError(JunoError):
    """A command ended with a return code other than 0."""

    def __init__(self, message: str, *, cmd: list[str], rc: int, stdout: str, stderr: str, **details: t.Any) -> None:
        super().__init__(message, cmd=cmd, rc=rc, stdout=stdout, stderr=stderr, **details)


class TookTooLongError(JunoError):
    """A command was stopped, since it took longer than allowed."""


class EngineError(JunoError):
    """The Docker Engine, its SDK or a container can't be reached or refuses."""


class BadInputError(JunoError):
    """A parameter names something that doesn't exist or makes no sense."""
