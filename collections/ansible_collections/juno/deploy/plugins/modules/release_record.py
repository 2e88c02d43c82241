#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Record in the journal how a release ended."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_record
short_description: Record in the journal how a release ended
version_added: 0.1.0
description:
  - Writes the outcome and the figures of the release that M(juno.deploy.release_switch) started into the app's journal.
  - After a release that went well, image tags of releases that are no longer kept are removed.
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
      - A release is recorded once; without a started release V(done) is refused and V(failed) changes nothing.
  platform:
    support: full
    platforms: posix
options:
  outcome:
    description:
      - How the release ended.
    type: str
    required: true
    choices: [done, failed]
  figures:
    description:
      - What was measured, and the reason of a failure.
    type: dict
    default: {}
  keep_releases:
    description:
      - How many releases that went well keep their images.
    type: int
    default: 5
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Record the release
  juno.deploy.release_record:
    path: /root/JunoJobs
    project: junojobs
    outcome: done
    figures:
      outage_seconds: 4.1
"""

RETURN = r"""
release:
  description: The journal's entry.
  returned: success
  type: dict
  sample:
    number: 8
    commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    who: root@laptop
    started: '2026-01-31T10:00:00Z'
    ended: '2026-01-31T10:00:14Z'
    outcome: done
    images: {web: 'sha256:5b6c7d8e9f00'}
    figures: {outage_seconds: 4.1}
log:
  description: The end of what the app's containers logged, for a release that failed.
  returned: success
  type: str
  sample: ""
actions:
  description: Image tags that were removed.
  returned: success
  type: list
  elements: dict
  sample: [{what: image, id: 'junojobs-web:juno-0a1b2c3d4e5f', status: untagged}]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _app, _record
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Record."""
    return _record.record(
        _app.from_params(module.params),
        module.params["outcome"],
        module.params["figures"],
        keep=module.params["keep_releases"],
        dry=module.check_mode,
    )


def main() -> None:
    """Run the module."""
    spec = {
        **_app.ARGUMENT_SPEC,
        "outcome": {"type": "str", "required": True, "choices": ["done", "failed"]},
        "figures": {"type": "dict", "default": {}},
        "keep_releases": {"type": "int", "default": 5},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
