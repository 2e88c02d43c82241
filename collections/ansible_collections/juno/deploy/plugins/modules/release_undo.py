#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Bring back what served before a release that did not end well."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_undo
short_description: Bring back what served before a release that did not end well
version_added: 0.2.0
description:
  - Undoes what the release that is at work has done so far, and no more than that. The checkout, the names of the
    images, the edge and the containers become what they were.
  - Migrations that it applied itself are reversed, the last one first, up to one that has no way back, or by which data
    would be lost (what was removed comes back empty). For those the copy of a file database is put back, if nothing was
    written since the migrations ended.
  - Where migrations stand that the code from before can't work with, what the release started goes on serving.
  - Writes into the app's journal that the release failed, with O(task) and O(reason).
  - Gives the lease back that M(juno.deploy.release_begin) took.
  - Without a release at work it changes nothing.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
attributes:
  check_mode:
    support: none
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
options:
  task:
    description:
      - The task that failed.
    type: str
    default: ''
  reason:
    description:
      - Why it failed.
    type: str
    default: ''
  caches_cleared:
    description:
      - Only write into the journal that the caches were cleared after RV(clear_caches), so that the next deploy
        doesn't do it again.
    type: bool
    default: false
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Bring back what served before
  juno.deploy.release_undo:
    path: /root/JunoJobs
    project: junojobs
    task: Prove that the site serves what it must
    reason: / does not contain 'Edition 2'
"""

RETURN = r"""
number:
  description: The number of the release that was given up; 0 when none was at work.
  returned: success
  type: int
  sample: 8
undone:
  description:
    - Whether what served before serves again. False when no release was at work, it is proved already, or the code from
      before can't work with the migrations that stand.
  returned: success
  type: bool
  sample: true
problems:
  description: What is not as it was for a reason that is none of the release's (a front proxy that doesn't run).
  returned: success
  type: list
  elements: str
  sample: []
left:
  description: The other services that run on where the app does not; what it needs was started before its check.
  returned: success
  type: list
  elements: str
  sample: []
serves:
  description: Whether the app has a running container now.
  returned: when a release was undone
  type: bool
  sample: true
clear_caches:
  description: Whether pages of the given-up release may be in the caches.
  returned: success
  type: bool
  sample: false
standing:
  description:
    - Migrations that the given-up release applied and that stand, since they have no way back, or would lose data.
  returned: success
  type: list
  elements: str
  sample: []
broken:
  description: What the code of the release that was brought back can't read in the database any more.
  returned: success
  type: list
  elements: str
  sample: []
words:
  description: How the database stands and what to do, where it is not simply as it was.
  returned: success
  type: str
  sample: ""
log:
  description: The end of what its containers logged, as far as they were there.
  returned: success
  type: str
  sample: ""
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _app, _journal, _lease, _undo
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run

#: What is told where no release was given up.
NOTHING: dict[str, t.Any] = {
    "number": 0,
    "undone": False,
    "clear_caches": False,
    "log": "",
    "standing": [],
    "problems": [],
    "left": [],
    "words": "",
    "broken": [],
}


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Undo."""
    cause = _undo.Cause(module.params["task"], module.params["reason"])
    app = _app.from_params(module.params)
    if module.params["caches_cleared"]:
        with _lease.step(app, "a note in the journal"):
            _journal.settle_caches(app.journal)
        if _journal.half_done(_journal.read(app.journal)) is None:
            _lease.give_back(app.state_directory, app.lease)
        return {**NOTHING, "changed": True}
    undone = _undo.undo(run_command, app, cause)
    if not undone.get("clear_caches"):
        _lease.give_back(app.state_directory, app.lease)
    return {**NOTHING, "changed": bool(undone), **undone}


def main() -> None:
    """Run the module."""
    spec = {
        **_app.ARGUMENT_SPEC,
        "task": {"type": "str", "default": ""},
        "reason": {"type": "str", "default": ""},
        "caches_cleared": {"type": "bool", "default": False},
    }
    run(AnsibleModule(argument_spec=spec), work)


if __name__ == "__main__":
    main()
