# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module where its imports are loaded already, or else as Ansible runs modules.

meta/runtime.yml sends all modules here that a deploy runs, not only the one of this name.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.juno.deploy.plugins.plugin_utils import _quick


class ActionModule(ActionBase):  # type: ignore[misc]  # It has no types.
    """Runs the task's module."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the action."""
        super().run(tmp, task_vars)
        name, args = str(self._task.resolved_action or self._task.action), dict(self._task.args)
        result = _quick.run(self, name, args, task_vars)
        if result is None:
            later = bool(self._task.async_val)
            result = self._execute_module(module_name=name, module_args=args, task_vars=task_vars, wrap_async=later)
        return t.cast("dict[str, t.Any]", result)
