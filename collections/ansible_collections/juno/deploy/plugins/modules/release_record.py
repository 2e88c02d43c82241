#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Record in the journal that a release serves. Documentation of the action plugin release_step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_record
short_description: Record in the journal that a release serves
version_added: 0.2.0
description:
  - Waits until the release's containers have been well for long enough, and writes into the app's journal that
    it serves, with its figures.
  - Removes what was kept for the undo. Old containers are removed, image tags and copies of databases of
    releases that are no longer kept, and what builds left.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.step
  - juno.deploy.step.follow
  - juno.deploy.app.state
attributes:
  check_mode:
    support: full
    details:
      - It waits until the containers are well, and records nothing.
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Record the release
  juno.deploy.release_record:
    project: junojobs
    deployer: "{{ begun.deployer }}"
  register: done
"""

RETURN = r"""
release:
  description: The journal's entry.
  returned: success
  type: dict
  sample: {number: 8, commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112, who: root@laptop,
    started: '2026-01-31T10:00:00Z', ended: '2026-01-31T10:00:14Z', outcome: done,
    images: {web: 'sha256:5b6c7d8e9f00'}, figures: {outage_seconds: 4.1}}
words:
  description: What the availability probe measured, as lines for a report.
  returned: success
  type: list
  elements: str
  sample: ['Visitors: 214 requests, none failed, longest gap 0.12 s, slowest 0.31 s, 0 old pages']
switch:
  description:
    - How the switch went, in one sentence that follows from what the availability probe measured; where it did not
      run, from the time that the switch itself took.
  returned: success
  type: str
  sample: rolling, no moment without an answer
lost:
  description: What visitors lost, in one sentence; empty when nothing that is known.
  returned: success
  type: str
  sample: 'But visitors met errors: 5 of 110 requests failed (see below).'
actions:
  description: Old containers, image tags, copies of databases and leftovers of builds that were removed.
  returned: success
  type: list
  elements: dict
  sample: [{what: image, id: 'junojobs-web:juno-0a1b2c3d4e5f', status: untagged}]
report:
  description: The report of the release, as lines for a person.
  returned: success, outside check mode
  type: list
  elements: str
  sample: ['Done: release 8 serves, 1f5d0b1c2a3e A new front page']
"""
