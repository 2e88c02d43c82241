# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has a step of a release done, and shows what goes on; of release_build and all others."""

from __future__ import annotations

import typing as t
import uuid

from ansible_collections.juno.deploy.plugins.plugin_utils import _interrupt, _watch

if t.TYPE_CHECKING:
    Result = dict[str, t.Any]

#: What a step is called where Ctrl-C ends the playbook.
DOING = {
    "build": "build",
    "migrate": "migrations",
    "switch": "switch",
    "clear": "clearing of the caches",
    "verify": "verification",
    "record": "record",
    "undo": "undo",
}
#: What the hosts do by themselves then, where they don't go back.
THEN = {"record": "finish the release, or undo it where it is not verified,", "undo": "go on with it"}

_interrupt.listen()


class ActionModule(_watch.StepAction):
    """Follows the step that the task's module is named after."""

    module = "juno.deploy.release_step"

    def run(self, tmp: str | None = None, task_vars: _watch.TaskVars = None) -> Result:
        """Run the action."""
        step = self._task.action.rpartition(".")[2].removeprefix("release_")
        if step == "step":
            step = str(self._task.args.get("step"))
        self.doing, self.then = DOING.get(step, step), THEN.get(step, "")
        # In check mode the record only waits: other hosts, or hooks, come after it.
        self.is_last = step in THEN and not self._task.check_mode
        self.own = {"step": step, "task_id": uuid.uuid4().hex}
        return super().run(tmp, task_vars)
