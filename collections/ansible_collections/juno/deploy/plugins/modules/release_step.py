#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tell the deployer of a release to do a step, and follow it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_step
short_description: Tell the deployer of a release to do a step
version_added: 0.2.0
description:
  - The way to the host of M(juno.deploy.release_build), M(juno.deploy.release_migrate), M(juno.deploy.release_switch),
    M(juno.deploy.release_clear), M(juno.deploy.release_verify), M(juno.deploy.release_record), and
    M(juno.deploy.release_undo). Their one action plugin calls it, so that Ansible packs one module for all of them.
    Use those; each says what it does and returns.
  - It returns after two seconds at most, or at the step's end.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.step
  - juno.deploy.step.follow
  - juno.deploy.app.state
attributes:
  check_mode:
    support: full
    details:
      - Instead of V(record) it waits until the containers are well. Other steps do nothing.
options:
  step:
    description:
      - The step.
    type: str
    required: true
    choices: [build, migrate, switch, clear, verify, record, undo]
  cache_version:
    description:
      - O(juno.deploy.release_build#module:cache_version).
    type: dict
    default: {}
  reverse:
    description:
      - O(juno.deploy.release_migrate#module:reverse).
    type: bool
    default: false
  task:
    description:
      - O(juno.deploy.release_undo#module:task).
    type: str
    default: ''
  reason:
    description:
      - O(juno.deploy.release_undo#module:reason).
    type: str
    default: ''
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Verify that the site serves what it must
  juno.deploy.release_step:
    step: verify
    project: junojobs
    deployer: "{{ begun.deployer }}"
  register: done
"""

RETURN = r"""
progress:
  description: How far the step has come, with its events since O(after). At its end its result is beside it.
  returned: always
  type: dict
  sample: {step: build, seconds: 2.0, usual: 70.0, events: [{seconds: 1.2, text: '[web 4/9] RUN pip install'}], next: 1,
    ended: false}
more:
  description: The same of the steps that have followed by themselves and have ended, each beside its result.
  returned: where there are such
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils._base import options
from ansible_collections.juno.deploy.plugins.module_utils._release import follow

#: The options of each step that the deployer is told.
ARGUMENTS = {"build": ("cache_version",), "undo": ("task", "reason")}
SPEC = {
    **options.STEP,
    "step": {"type": "str", "required": True, "choices": list(options.STEPS)},
    "cache_version": {"type": "dict", "default": {}},
    "reverse": {"type": "bool", "default": False},
    "task": {"type": "str", "default": ""},
    "reason": {"type": "str", "default": ""},
}


def name_of(step: str, *, reverse: bool, check_mode: bool) -> str:
    """Return the deployer's name for a step."""
    if step == "migrate" and reverse:
        return "reverse"
    return "settle" if step == "record" and check_mode else step


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    step = module.params["step"]
    if module.check_mode and step != "record":
        module.exit_json(skipped=True, msg=f"release_{step} does nothing in check mode")
    name = name_of(step, reverse=module.params["reverse"], check_mode=module.check_mode)
    args = {one: module.params[one] for one in ARGUMENTS.get(step, ())}
    follow.run(module, lambda params: follow.step(params, name, args))


if __name__ == "__main__":
    main()
