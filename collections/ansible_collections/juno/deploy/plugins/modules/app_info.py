#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look at a Django compose app and plan its deploy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: app_info
short_description: Look at a Django compose app and plan its deploy
version_added: 0.1.0
description:
  - Looks at everything a deploy decides from, in one go. The git checkout and the remote's branch, the compose
    project, its containers, the disk, and the journal of what was released before.
  - Plans from it whether anything is to be deployed, whether images have to be built, and why.
  - Fails, with nothing changed, when the checkout holds changes that a deploy would overwrite (changed files, commits
    of its own, another branch, untracked files that the new commit brings), or when something that a deploy needs is
    missing.
  - Fetched git objects are all that it leaves on the host.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.attributes.info
  - juno.deploy.app
attributes:
  platform:
    support: full
    platforms: posix
options:
  remote:
    description:
      - The git remote that the branch is fetched from.
    type: str
    default: origin
  branch:
    description:
      - The branch whose newest commit is to be deployed.
    type: str
    default: main
  always_build:
    description:
      - Plan a build of the images whatever has changed.
    type: bool
    default: false
  force:
    description:
      - Plan a deploy even if the commit serves already.
    type: bool
    default: false
  fetch_timeout_seconds:
    description:
      - How long the git server may take.
    type: int
    default: 60
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Look at the app
  juno.deploy.app_info:
    path: /root/JunoJobs
    project: junojobs
  register: app
"""

RETURN = r"""
git:
  description: The checkout and the fetched branch.
  returned: success
  type: dict
  sample:
    commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    branch: main
    target_commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    target_subject: A new front page
    ahead: 0
    behind: 1
    dirty: []
compose:
  description: The compose project, with the address of the port that O(service) publishes.
  returned: success
  type: dict
  sample:
    version: 2.26.1
    files: [docker-compose.yml]
    services: [memcached, web]
    base_url: http://127.0.0.1:8001
    code_mounted: true
    command_collects: true
containers:
  description: The project's containers, stopped ones too.
  returned: success
  type: list
  elements: dict
  sample: [{name: junojobs-web-1, service: web, state: running}]
disk_free_bytes:
  description: Free space of the app's file system, in bytes.
  returned: success
  type: int
  sample: 21474836480
serving:
  description: The newest release that went well, as the journal has it; empty when there is none.
  returned: success
  type: dict
  sample: {number: 7, commit: 8f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112, outcome: done}
changed_files:
  description: Files that differ between the release in RV(serving) and the branch; nothing when that can't be told.
  returned: success
  type: list
  elements: str
  sample: [templates/home.html]
plan:
  description: What a deploy has to do, and why.
  returned: success
  type: dict
  sample: {deploy: true, build: false, reasons: ['release 8f5d0b1c2a3e serves, 1f5d0b1c2a3e is new'], build_reasons: []}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _app, _inspect
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Inspect the app."""
    wish = _inspect.Wish(
        remote=module.params["remote"],
        branch=module.params["branch"],
        fetch_timeout_seconds=module.params["fetch_timeout_seconds"],
        always_build=module.params["always_build"],
        force=module.params["force"],
    )
    return {"changed": False, **_inspect.inspect(run_command, _app.from_params(module.params), wish)}


def main() -> None:
    """Run the module."""
    spec = {
        **_app.ARGUMENT_SPEC,
        "remote": {"type": "str", "default": "origin"},
        "branch": {"type": "str", "default": "main"},
        "always_build": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        "fetch_timeout_seconds": {"type": "int", "default": 60},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
