#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Bring back what served before a release that did not end well. Documentation of the action plugin release_step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_undo
short_description: Bring back what served before a release that did not end well
version_added: 0.2.0
description:
  - Undoes what the release that is at work has done so far, and no more than that. The checkout, the names of the
    images, the proxy and the containers become what they were.
  - Migrations that it applied itself are reversed, the last one first, up to one that is irreversible, or by which
    data would be lost (what was removed comes back empty). For those the copy of a file database is put back, if
    nothing was written since the migrations ended.
  - Where migrations stand that the code from before can't work with, what the release started goes on serving.
  - Clears the caches that pages of it may be in.
  - Writes into the app's journal that the release failed, with O(task) and O(reason).
  - A step that fails is undone at once, without being told; then this follows that, and gives its result.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.step
  - juno.deploy.step.follow
  - juno.deploy.app.state
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
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Bring back what served before
  juno.deploy.release_undo:
    project: junojobs
    deployer: "{{ begun.deployer }}"
    task: Verify that the site serves what it must
    reason: / does not contain 'Edition 2'
  register: done
"""

RETURN = r"""
number:
  description: The number of the release that was undone; 0 when none was at work.
  returned: success
  type: int
  sample: 8
undone:
  description:
    - Whether what served before serves again. False when no release was at work, it is verified already, or the code
      from before can't work with the migrations that stand.
  returned: success
  type: bool
  sample: true
problems:
  description: What is not as it was for a reason that is none of the release's (a front proxy that doesn't run).
  returned: success
  type: list
  elements: str
  sample: []
serves:
  description: Whether the app has a running container now.
  returned: when a release was undone
  type: bool
  sample: true
standing:
  description:
    - Migrations that the given-up release applied and that stand, since they are irreversible, or would lose data.
  returned: success
  type: list
  elements: str
  sample: []
words:
  description: How the database stands and what to do, where it is not simply as it was.
  returned: success
  type: str
  sample: ''
log:
  description: The end of what its containers logged, as far as they were there.
  returned: success
  type: str
  sample: ''
not_cleared:
  description: Why pages of the given-up release may be left in the caches, which the next release clears.
  returned: where they could not be cleared
  type: str
  sample: ''
"""
