#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Build a release's images from a clean checkout and check that its code can start."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_prove
short_description: Prove that the new release serves what it must
version_added: 0.2.0
description:
  - Asks for the pages of O(juno.deploy.release_begin#module:pages) as visitors do, and fails where one is old,
    wrong, or names a file that is dead, as M(juno.deploy.freshness_check) does.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.step
attributes:
  check_mode:
    support: none
  diff_mode:
    support: none
  idempotent:
    support: none
  platform:
    support: full
    platforms: posix
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Prove that the site serves what it must
  juno.deploy.release_prove:
    project: junojobs
    deployer: "{{ begun.deployer }}"
  register: done
"""

RETURN = r"""
words:
  description: What was proved, as lines for a report.
  returned: success
  type: list
  elements: str
  sample: [7 pages as they must be]
began:
  description: When the first page was asked for, in seconds since the epoch by this host's clock.
  returned: success
  type: float
  sample: 1769853600.25
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _follow, _options


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=_options.STEP)
    _follow.run(module, lambda params: _follow.step(params, "prove", {}))


if __name__ == "__main__":
    main()
