# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a step of a release, and show what goes on. Private to juno.deploy: no stable interface.

The module of a step returns after a moment; it is called again until the step has ended. Nothing of ansible-core is
used but what its documentation offers to action plugins: C(_execute_module), the task's arguments, and C(Display).
"""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.juno.deploy.plugins.plugin_utils import _interrupt, _known

if t.TYPE_CHECKING:
    TaskVars = dict[str, t.Any] | None
    Result = dict[str, t.Any]

#: What status.yml is called where our playbooks are used.
WATCH = "Watch: playbooks/status.yml"
#: What takes no longer needs no lines.
SHORT_SECONDS = 3.0
MOST_LINES = 4
#: Nobody waits for this result.
ENDED = {"failed": True, "msg": "ansible-playbook has ended."}
#: How long a host may be out of reach in the middle of a step.
CUT_SECONDS, RETRY_SECONDS = 45.0, 2.0


def line(host: str, progress: t.Mapping[str, t.Any], text: str, seconds: float | None = None) -> str:
    """Return what goes on in a step: which, where, for how long, of how much usually."""
    took = progress["seconds"] if seconds is None else seconds
    usual = f" of ~{progress['usual']:.0f} s" if progress["usual"] >= 1 else ""
    return f"{progress['step']}  {host}  {took:.0f} s{usual}  {text}".rstrip()


class StepAction(ActionBase):  # type: ignore[misc]  # It has no types.
    """Runs a step until it has ended."""

    #: The module that is called, and what it is told beside the task's arguments.
    module = ""
    own: Result = {}  # noqa: RUF012 - replaced, not changed
    #: The step, as what is said at Ctrl-C calls it.
    doing = ""
    #: What the hosts do by themselves when the playbook ends in it; nothing where they go back.
    then = ""
    #: The last step of a release.
    is_last = False

    def run(self, tmp: str | None = None, task_vars: TaskVars = None) -> Result:
        """Run the action."""
        super().run(tmp, task_vars)
        host = str((task_vars or {}).get("inventory_hostname") or "this host")
        _interrupt.say_if_cancelled(host, self.if_cancelled(task_vars))
        args = {**self._task.args, **self.own}
        first = _known.take(host, str(args.get("deployer")), str(args.get("step"))) or self.call(args, task_vars)
        result = self.watch(host, args, first, task_vars)
        if self.is_over(result):
            _interrupt.say_if_cancelled(host, "")
        return result

    def is_over(self, result: Result) -> bool:
        """Return whether nothing is left to happen after this step."""
        return self.is_last and not result.get("failed")

    def call(self, args: Result, task_vars: TaskVars) -> Result:
        """Run the module once."""
        done = self._execute_module(module_name=self.module, module_args=dict(args), task_vars=task_vars)
        return t.cast("Result", done)

    def watch(self, host: str, args: Result, result: Result, task_vars: TaskVars) -> Result:
        """Show events, and ask for more until the step has ended."""
        shown = ""
        while True:
            progress = result.pop("progress", None)
            _known.keep(host, str(args.get("deployer")), result.pop("more", []))
            if not progress:
                return result
            if not progress["ended"] or progress["seconds"] > SHORT_SECONDS:
                shown = self.show(host, progress, shown)
            if progress["ended"]:
                return result
            if _interrupt.playbook_ended():
                return ENDED
            result = self.again(host, {**args, "after": progress["next"]}, progress, task_vars)

    def again(self, host: str, args: Result, progress: Result, task_vars: TaskVars) -> Result:
        """Ask how the step stands; a line that is cut for a moment ends nothing, since the step goes on."""
        ends = time.monotonic() + CUT_SECONDS
        while True:
            try:
                return self.call(args, task_vars)
            except AnsibleConnectionFailure:
                if time.monotonic() > ends:
                    raise
            if _interrupt.playbook_ended():
                return ENDED
            _interrupt.show(line(host, progress, "can't be reached, tries again"))
            time.sleep(RETRY_SECONDS)

    def show(self, host: str, progress: Result, shown: str) -> str:
        """Show what has happened since it was shown last, or else what goes on still; return the text shown last."""
        events = progress["events"]
        # Of many within a moment the last ones tell enough.
        for one in events[-MOST_LINES:]:
            shown = one["text"]
            _interrupt.show(line(host, progress, shown, one["seconds"]))
        if not events and not progress["ended"]:
            _interrupt.show(line(host, progress, shown))
        return str(shown)

    def if_cancelled(self, task_vars: TaskVars) -> str:
        """Return what is left to happen if the playbook ends from now on."""
        begun = ((task_vars or {}).get("django_app__begun") or {}) if task_vars else {}
        before = str((begun.get("serving") or {}).get("commit") or "")[:7]
        then = self.then or (f"go back to {before}" if before else "bring back what served before")
        seconds = float(self._task.args.get("next_step_timeout_seconds") or 0)
        # Until then visitors may see the new release.
        when = f", {seconds:g} s after the step at work has ended" if seconds and not self.then else ""
        return f"Cancelled in the {self.doing}. The droplets {then} by themselves{when}. {WATCH}"
