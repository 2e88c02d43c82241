# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A begin whose deeds are only noted."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._recovery import recover
from ansible_collections.juno.deploy.plugins.module_utils._release import begin as release_begin

if t.TYPE_CHECKING:
    import pytest


def noted(monkeypatch: pytest.MonkeyPatch, boot: str | None = None) -> list[tuple[t.Any, ...]]:
    """Let nothing be done; return the list that gets what would be, in its order.

    :param boot: what the boot unit answers.
    """
    notes: list[tuple[t.Any, ...]] = []

    def note(module: t.Any, name: str, answer: t.Any = None) -> None:
        monkeypatch.setattr(module, name, lambda *args, **_more: notes.append((name, *args)) or answer)

    note(release_begin.trust, "remember")
    note(release_begin.files, "settle")
    note(recover, "recover", {})
    note(release_begin.boot, "arm", boot)
    note(release_begin.owner, "remember")
    monkeypatch.setattr(release_begin.front_door, "require", lambda *_any: None)
    note(release_begin.proxy_plan, "prepare", [])
    note(release_begin.control, "start")
    return notes
