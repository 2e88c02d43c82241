#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Receive the files of a folder that is to be deployed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_files
short_description: Receive the files of a folder that is to be deployed
version_added: 0.2.0
description:
  - The action plugin of M(juno.deploy.release_begin) calls it where O(juno.deploy.release_begin#module:files) is set.
    It is not meant to be called by a task.
  - Says which of the folder's files and trees the app's checkout does not have, and keeps what is sent of them for the
    release, below O(state_root). Nothing of the app is touched.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
  - juno.deploy.app.state
attributes:
  check_mode:
    support: full
    details:
      - What it keeps goes with the plan.
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
options:
  commit:
    description:
      - The id of the commit that the folder's files are.
    type: str
    required: true
  ids:
    description:
      - The ids of all that the commit consists of, one after the other.
    type: str
    default: ''
  part:
    description:
      - A part of the pack with what is missing, in base64. Without it nothing is kept.
    type: str
    default: ''
  offset:
    description:
      - Where in the pack the part begins.
    type: int
    default: 0
  size:
    description:
      - How large the pack is.
    type: int
    default: 0
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Ask what is missing
  juno.deploy.release_files:
    path: /srv/shop
    project: shop
    commit: 8f5d0b1c2a3e4d5f60718293a4b5c6d7e8f90a1b
"""

RETURN = r"""
missing:
  description: Which of O(ids) are missing, by their numbers from 0.
  returned: without O(part)
  type: list
  elements: int
  sample: [0, 3]
is_whole:
  description: Whether it was the last part.
  returned: with O(part)
  type: bool
  sample: true
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._git import owner, sent_files, sent_pack
from ansible_collections.juno.deploy.plugins.module_utils._module import run

#: Of an object's id.
ID_LENGTH = 40
ARGUMENTS = {
    "commit": {"type": "str", "required": True},
    # What is sent is nobody's to see, in no log of the host either.
    "ids": {"type": "str", "default": "", "no_log": True},
    "part": {"type": "str", "default": "", "no_log": True},
    "offset": {"type": "int", "default": 0},
    "size": {"type": "int", "default": 0},
}


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Say what is missing, or keep a part."""
    params = module.params
    app, commit = app_app.from_params(params), params["commit"]
    if params["part"]:
        done = sent_pack.store(app, commit, params["part"], params["offset"], params["size"])
        return {"changed": False, "is_whole": done}
    sent_pack.path_of(app, commit)
    owner.take(app)
    sent_files.has_checkout(run_command, app.path)
    ids = [params["ids"][at : at + ID_LENGTH] for at in range(0, len(params["ids"]), ID_LENGTH)]
    return {"changed": False, "missing": sent_pack.missing(run_command, app.path, ids)}


def main() -> None:
    """Run the module."""
    run(AnsibleModule(argument_spec={**options.APP, **ARGUMENTS}, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
