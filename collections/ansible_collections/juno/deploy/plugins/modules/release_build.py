#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Build a release's images from a clean checkout and check that its code can start."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_build
short_description: Build a release from a clean checkout and check that it can start
version_added: 0.1.0
description:
  - Checks the commit out into a directory of its own and builds the images of all services that are built, from there.
    The app's own directory, its containers and the images they run are not touched.
  - Then runs O(check_command) with the new code in a throwaway container, so that code that can't start never serves.
  - A release's image is tagged V(juno-) and the commit's first twelve letters, beside the name that compose uses.
  - Files that git does not track are not in a clean checkout, so they are not in the image either.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - It builds each time; layers that have not changed come from the Engine's build cache.
  platform:
    support: full
    platforms: posix
options:
  commit:
    description:
      - The full commit that is released.
    type: str
    required: true
  build:
    description:
      - Build images. When V(false), the new code is only checked, mounted into the image that serves.
    type: bool
    default: true
  check_command:
    description:
      - The command, as a list of words, that tells whether the code can start. An empty list checks nothing.
    type: list
    elements: str
    default: [python, manage.py, check]
  build_timeout_seconds:
    description:
      - How long the build may take.
    type: int
    default: 1800
  check_timeout_seconds:
    description:
      - How long O(check_command) may take.
    type: int
    default: 120
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Build the release
  juno.deploy.release_build:
    path: /root/JunoJobs
    project: junojobs
    commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
  register: built
"""

RETURN = r"""
images:
  description: The release's image for each service that was built.
  returned: success
  type: dict
  sample: {web: 'junojobs-web:juno-1f5d0b1c2a3e'}
checked:
  description: The last line that O(check_command) printed.
  returned: success
  type: str
  sample: System check identified no issues (0 silenced).
build_seconds:
  description: How long the build took.
  returned: success
  type: float
  sample: 7.4
check_seconds:
  description: How long the check took.
  returned: success
  type: float
  sample: 1.2
actions:
  description: What was done.
  returned: success
  type: list
  elements: dict
  sample: [{what: image, id: 'junojobs-web:juno-1f5d0b1c2a3e', status: built}]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _app, _release
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Build and check."""
    order = _release.BuildOrder(
        commit=module.params["commit"],
        build=module.params["build"],
        check_command=tuple(module.params["check_command"]),
        build_timeout_seconds=module.params["build_timeout_seconds"],
        check_timeout_seconds=module.params["check_timeout_seconds"],
    )
    return _release.build(run_command, _app.from_params(module.params), order, dry=module.check_mode)


def main() -> None:
    """Run the module."""
    spec = {
        **_app.ARGUMENT_SPEC,
        "commit": {"type": "str", "required": True},
        "build": {"type": "bool", "default": True},
        "check_command": {"type": "list", "elements": "str", "default": ["python", "manage.py", "check"]},
        "build_timeout_seconds": {"type": "int", "default": 1800},
        "check_timeout_seconds": {"type": "int", "default": 120},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
