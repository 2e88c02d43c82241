# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployer answers to those who ask it over its socket. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._release import steps
from ansible_collections.juno.deploy.plugins.module_utils._release.deployer_state import TRY_AGAIN_SECONDS
from ansible_collections.juno.deploy.plugins.module_utils._release.release import TASKS

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._release.deployer_state import DeployerState
    from ansible_collections.juno.deploy.plugins.module_utils._release.rpc_server import Request
    from ansible_collections.juno.deploy.plugins.module_utils._release.step_process import StepProcess

#: What a controller may tell it to do.
STEPS_ON_REQUEST = frozenset(steps.STEPS) - {"begin", "recover"}


def refusal(state: DeployerState, asked: Request) -> str:
    """Return why a step can't be done, or watched."""
    name, known = asked.name, state.steps.get(asked.name)
    if state.cancel_reason and not (asked.do == "watch" and known and known.failure and known.name == "begin"):
        return (
            f"This run was cancelled, since {state.cancel_reason}, so its release is undone or finished by the host "
            "itself: see the playbook juno.deploy.status, then deploy again."
        )
    if asked.do == "watch" or (known and known.is_meant_by(asked.task)):
        return "" if known else f"The step {name} was not begun."
    if name not in STEPS_ON_REQUEST:
        return f"There is no step {name}."
    if state.over:
        return f"The step {name} can't begin, because this release is over."
    if state.step and not state.step.ended:
        return f"The step {name} can't begin while {state.step.name} is at work."
    if "undo" in state.steps and name != "undo":
        return f"The step {name} can't begin, because this release is being undone."
    return ""


def progress(state: DeployerState, step: StepProcess, after: int) -> dict[str, t.Any]:
    """Return how a step stands, with its events but the first ones."""
    return {
        "step": step.name,
        "seconds": round(state.release.seconds[step.name] if step.ended else state.clock() - step.began, 1),
        "usual": state.release.usual.get(step.name, 0),
        "events": step.events[after:],
        "next": len(step.events),
        "ended": step.ended,
    }


def watched(state: DeployerState, step: StepProcess, after: int, more: list[StepProcess]) -> dict[str, t.Any]:
    """Return how a step stands; once it has ended, also its outcome, and those of the steps after it."""
    answer = progress(state, step, after)
    if step.ended:
        answer |= step.outcome()
        answer["more"] = [{**progress(state, one, 0), **one.outcome()} for one in more]
    return answer


def ended_since(state: DeployerState, step: StepProcess) -> list[StepProcess]:
    """Return the steps that have ended well since one, by themselves, so that their tasks need not ask for them.

    What Ansible is to show as a failure or a warning, the module of the step's own task must give it.
    """
    names = list(state.steps)
    later = [state.steps[name] for name in names[names.index(step.name) + 1 :] if name in TASKS]
    return [one for one in later if one.went_well() and not one.reported and "warnings" not in one.result]


def standing(state: DeployerState) -> dict[str, t.Any]:
    """Return what it is doing just now."""
    now, step = state.clock(), state.step
    working = step is not None and not step.ended
    return {
        "id": state.holder.id,
        "step": step.name if step and working else "",
        "seconds": round(now - step.began, 1) if step and working else round(now - state.idle_since, 1),
        "usual": state.release.usual.get(step.name, 0) if step and working else 0,
        "event": step.events[-1]["text"] if step and working and step.events else "",
        "silent_seconds": round(now - state.heard, 1),
        "next_step_timeout_seconds": TRY_AGAIN_SECONDS if state.tries else state.next_step_timeout,
        "cancel_reason": state.cancel_reason,
    }
