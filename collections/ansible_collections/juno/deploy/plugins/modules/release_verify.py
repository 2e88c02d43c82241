#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Verify that the new release serves what it must. Documentation of the action plugin release_step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_verify
short_description: Verify that the new release serves what it must
version_added: 0.2.0
description:
  - Asks for the pages of O(juno.deploy.release_begin#module:pages) as visitors do, and fails where one is old,
    wrong, or names a file that is dead.
  - A step of a release, for the deployer that M(juno.deploy.release_begin) has started. To judge pages at any other
    time use M(juno.deploy.freshness_check).
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.step
  - juno.deploy.step.follow
  - juno.deploy.app.state
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Verify that the site serves what it must
  juno.deploy.release_verify:
    project: junojobs
    deployer: "{{ begun.deployer }}"
  register: done
"""

RETURN = r"""
words:
  description: What was verified, as lines for a report.
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
