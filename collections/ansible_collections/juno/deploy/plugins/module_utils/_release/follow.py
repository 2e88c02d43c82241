# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the thin modules do: ask the deployer for a step, and follow it. Private to juno.deploy: no stable interface.

Standard library only. A module returns after a moment; while its step is at work, its action plugin calls it again.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._state import rpc

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

#: How long one call waits for the end of a step.
FIRST_SECONDS, NEXT_SECONDS = 2.0, 1.5
#: How long a deployer may take beyond that: on a busy host it is not there at once.
SLOW_SECONDS = 30.0
LAST_CHARACTERS = 500
GONE = (
    "The deployer of this release is not there any more (its controller was not heard from for too long, or it was "
    "killed, or the host was restarted): see the playbook juno.deploy.status for what serves, then deploy again."
)


def step(params: dict[str, t.Any], name: str, args: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
    """Begin a step, or go on following it; return its result once it has ended, else its events so far.

    :raises JunoError: it failed, can't be begun, or no deployer is there.
    """
    first = params["after"] < 0
    asked: dict[str, t.Any] = {
        "do": "step" if first else "watch",
        "name": name,
        "task": params["task_id"],
        "args": args or {},
        "next_step_timeout": params["next_step_timeout_seconds"],
        "after": max(0, params["after"]),
        "seconds": FIRST_SECONDS if first else NEXT_SECONDS,
    }
    return follow(options.state_directory(params), params["deployer"], asked)


def follow(directory: str, id: str, asked: dict[str, t.Any]) -> dict[str, t.Any]:  # noqa: A002
    """Ask, and read the answer.

    :raises JunoError: the step failed, can't be begun, or no deployer is there.
    """
    try:
        answer = rpc.ask(rpc.socket_path(directory, id), asked, float(asked["seconds"]) + SLOW_SECONDS)
    except rpc.NobodyError as exc:
        raise JunoError(f"{GONE}{_last_words(directory)}", deployer="gone") from exc
    if "refused" in answer:
        raise JunoError(answer["refused"], deployer="refused")
    if "failure" in answer:
        failure = answer["failure"]
        raise JunoError(failure.pop("msg"), **failure, progress=_progress(answer))
    return _result(answer)


def _result(answer: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what a module returns, as far as the step has come, and the same for those that have ended since."""
    result = {"changed": False, **(answer.get("result") or {}), "progress": _progress(answer)}
    return {**result, "more": [_result(one) for one in answer["more"]]} if answer.get("more") else result


def _progress(answer: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: answer[name] for name in ("step", "seconds", "usual", "events", "next", "ended")}


def _last_words(directory: str) -> str:
    """Return what a deployer that broke has said last."""
    try:
        with open(os.path.join(directory, "deployer.errors"), encoding="utf-8", errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
    except OSError:
        return ""
    return f" It said last: {lines[-1][:LAST_CHARACTERS]}" if lines else ""


def run(module: AnsibleModule, work: t.Callable[[dict[str, t.Any]], dict[str, t.Any]]) -> None:
    """Call C(work(params)) and leave with its result, or with the message and figures of a JunoError."""
    try:
        result = work(module.params)
    except JunoError as exc:
        module.fail_json(**{"msg": exc.message, **exc.details})
    for one in result.pop("warnings", []):
        module.warn(one)
    module.exit_json(**{"changed": False, **result})
