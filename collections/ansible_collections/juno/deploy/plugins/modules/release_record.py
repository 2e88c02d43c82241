#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Record in the journal that a release serves."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_record
short_description: Record in the journal that a release serves
version_added: 0.1.0
description:
  - Makes sure that the release's containers still run, and writes into the app's journal that it serves, with its
    figures.
  - Lets go of what was kept for the way back. Old containers are removed, image tags of releases beyond
    O(keep_releases), copies of databases by O(keep_backups), and what builds left by O(keep_cache_mb).
  - Gives the lease back that M(juno.deploy.release_begin) took.
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
      - A release is recorded once; without a started release it fails.
  platform:
    support: full
    platforms: posix
options:
  figures:
    description:
      - What was measured.
    type: dict
    default: {}
  marks:
    description:
      - When the switch began (C(switch_began)) and from when on an old page is a fault (C(old_gone)), in seconds
        since the epoch by this host's clock, for the figures of the prober that M(juno.deploy.release_begin) started.
    type: dict
    default: {}
  keep_releases:
    description:
      - How many releases that went well keep their images.
    type: int
    default: 5
  keep_backups:
    description:
      - After how many later releases that went well a copy of a database goes. The newest copy of each database stays.
    type: int
    default: 3
  keep_cache_mb:
    description:
      - How many MiB may be held by what only builds of this app left. Those are images of the compose project without a
        name, and build cache that came with its builds and that no other build has used since. V(0) leaves all of it
        alone.
    type: int
    default: 0
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Record the release
  juno.deploy.release_record:
    path: /root/JunoJobs
    project: junojobs
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
words:
  description: What the prober met, as lines for a report.
  returned: success
  type: list
  elements: str
  sample: ['Visitors: 214 requests, none failed, longest gap 0.12 s, slowest 0.31 s, 0 old pages']
switch:
  description:
    - How the switch went, in one sentence that follows from what the prober saw; where it did not run, from the time
      that the switch itself took.
  returned: success
  type: str
  version_added: 0.2.0
  sample: rolling, no moment without an answer
lost:
  description: What visitors lost, in one sentence; empty when nothing that is known.
  returned: success
  type: str
  version_added: 0.2.0
  sample: "But visitors met errors: 5 of 110 requests failed (see below)."
actions:
  description: Old containers, image tags, copies of databases and leftovers of builds that were removed.
  returned: success
  type: list
  elements: dict
  sample: [{what: image, id: 'junojobs-web:juno-0a1b2c3d4e5f', status: untagged}]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _app, _record
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Record."""
    return _record.record(
        run_command,
        _app.from_params(module.params),
        module.params["figures"],
        module.params["marks"],
        keep=_record.Keep(*(module.params[f"keep_{what}"] for what in ("releases", "backups", "cache_mb"))),
        dry=module.check_mode,
    )


def main() -> None:
    """Run the module."""
    spec = {
        **_app.ARGUMENT_SPEC,
        "figures": {"type": "dict", "default": {}},
        "marks": {"type": "dict", "default": {}},
        "keep_releases": {"type": "int", "default": 5},
        "keep_backups": {"type": "int", "default": 3},
        "keep_cache_mb": {"type": "int", "default": 0},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
