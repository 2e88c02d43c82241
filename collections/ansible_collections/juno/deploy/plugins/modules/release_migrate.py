#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Migrate the database that serves, or take it back. Documentation of the action plugin release_step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_migrate
short_description: Migrate the database that serves, or take it back
version_added: 0.2.0
description:
  - Copies or dumps the database, then applies the pending migrations with the new code, while the old release serves.
    One by one, each noted before it begins.
  - In a rollback that reverses migrations it does so, after the switch.
  - When one fails, those that this run applied are reversed as far as that loses nothing.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.step
  - juno.deploy.step.follow
  - juno.deploy.app.state
options:
  reverse:
    description:
      - Reverse the migrations that came after the release that is gone back to.
    type: bool
    default: false
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Migrate
  juno.deploy.release_migrate:
    project: junojobs
    deployer: "{{ begun.deployer }}"
  register: done
"""

RETURN = r"""
applied:
  description: The migrations that were applied, in that order.
  returned: always
  type: list
  elements: dict
  sample: [{app: jobs, name: 0003_job_level, reversible: true, lossy: [], atomic: true}]
elsewhere:
  description: Migrations that were pending when the release was checked, and that another host has applied since.
  returned: success
  type: list
  elements: str
  sample: []
reversed:
  description: The migrations that were reversed, or would be, in that order.
  returned: for a rollback, or when a migration failed
  type: list
  elements: dict
  sample: []
standing:
  description: The migrations of this run that stay applied.
  returned: when a migration failed
  type: list
  elements: str
  sample: []
backups:
  description: The copies of databases from before.
  returned: always
  type: list
  elements: dict
  sample: [{database: /root/JunoJobs/db.sqlite3, path: /var/lib/juno/junojobs/backup/20261122T190000Z-r9-db.sqlite3,
      bytes: 155648, seconds: 0.02}]
notices:
  description: Why there is no copy, where there is none.
  returned: success
  type: list
  elements: str
  sample: []
seconds:
  description: How long it took.
  returned: success
  type: float
  sample: 1.6
actions:
  description: What was done.
  returned: success
  type: list
  elements: dict
  sample: [{what: migration, id: jobs.0003_job_level, status: applied}]
"""
