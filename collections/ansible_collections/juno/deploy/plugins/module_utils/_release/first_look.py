# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the first deploy of a folder's files, for check mode. Private to juno.deploy: no stable interface.

docker compose reads the project where it is to be, and check mode puts nothing there. So what can be said is said.
"""

from __future__ import annotations

import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._git import sent_files

if t.TYPE_CHECKING:
    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._base.command import Runner

REST = (
    "The rest of the plan needs the files where docker compose reads them, and is told by the deploy itself, before it "
    "builds anything"
)


def look(run: Runner, app: App, spec: dict[str, t.Any], repository: str) -> dict[str, t.Any]:
    """Return what the first deploy does with the files, in the shape of a plan.

    :param repository: has the commit of the files.
    :raises BadInputError: other files are in the way.
    """
    commit = spec["files"]
    subject, count, there = sent_files.look_at_first(run, app.path, commit, repository)
    known = f" ({there} of them {'is' if there == 1 else 'are'} there already)" if there else ""
    plan = {
        "deploy": True,
        "reasons": [f"{app.path} gets {count} file{'' if count == 1 else 's'}{known}"],
        "build": True,
        "build_reasons": ["nothing of it is on this host yet"],
        "strategy": spec["strategy"],
        "strategy_reasons": [],
        "notices": [],
    }
    git = {"commit": "", "target_commit": commit, "target_subject": subject}
    about = {"git": git, "plan": plan, "serving": {}, "notices": [REST]}
    return {"changed": True, **about, "begun": False, "recovered": {}, "taken_over": ""}
