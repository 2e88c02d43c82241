# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logs of the app's containers, as text. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import re
import threading
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._base import masking

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App


#: Colours and the like, which a terminal understands and a report doesn't.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def clean(raw: bytes) -> str:
    """Return a log as text without colours."""
    lines = ESCAPES.sub("", raw.decode("utf-8", "replace")).split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def read(client: t.Any, app: App, lines: int, follow_seconds: int) -> list[dict[str, str]]:
    """Return the last lines of each of the app's containers, and what they log within the time that was asked for."""
    # The Engine takes whole seconds; the same bound for both parts, so that no line is lost or comes twice.
    began = int(time.time())
    threading.Event().wait(follow_seconds)
    found = []
    for one in engine.find(client, app.project, stopped=True):
        if one.service not in app.services:
            continue
        with engine.errors_as(f"The log of the container {one.name} can't be read"):
            if follow_seconds:
                raw = client.api.logs(one.id, tail=lines, until=began) + client.api.logs(one.id, since=began)
            else:
                raw = client.api.logs(one.id, tail=lines)
            seen = client.api.inspect_container(one.id)
        masking.learn_environment((seen.get("Config") or {}).get("Env") or [])
        found.append({"container": one.name, "status": one.status, "text": masking.hide(clean(raw))})
    return found
