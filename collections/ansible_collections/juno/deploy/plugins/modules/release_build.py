#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Build a release beside the one that serves, and check it. Documentation of the action plugin release_step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_build
short_description: Build a release beside the one that serves, and check it
version_added: 0.2.0
description:
  - Builds the images of the commit that M(juno.deploy.release_begin) has planned, from a clean checkout, pulls those
    that come from a registry, by their digests, and asks the new code in a throwaway container whether it starts, what
    it would migrate (on a copy of a file database), and how it answers.
  - Collects static files, staged, where the plan says so. For a restart with
    O(juno.deploy.release_begin#module:recollect), that is all it does.
  - Nothing that serves was touched when it fails.
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.step
  - juno.deploy.step.follow
  - juno.deploy.app.state
options:
  cache_version:
    description:
      - The cache version of the release, where several hosts share it, in the form of
        RV(juno.deploy.release_begin#module:cache_version).
      - Without it the host's own.
    type: dict
    default: {}
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Build and check the release
  juno.deploy.release_build:
    project: junojobs
    deployer: "{{ begun.deployer }}"
  register: done
"""

RETURN = r"""
images:
  description: The release's image for each service of the app that was built or pulled.
  returned: success
  type: dict
  sample: {web: 'junojobs-web:juno-1f5d0b1c2a3e'}
pulled:
  description:
    - Those of RV(images) that came from a registry, as C(REPOSITORY@DIGEST), by which C(docker pull) brings exactly
      them.
  returned: success
  type: dict
  sample: {}
build_seconds:
  description: How long the build took.
  returned: success
  type: float
  sample: 7.4
check_seconds:
  description: How long the throwaway container took.
  returned: success
  type: float
  sample: 1.2
migrations:
  description:
    - The migrations of the database V(default).
    - RV(migrations.pending) and RV(migrations.applied) are empty when RV(migrations.why) says that they are not
      known.
  returned: success
  type: dict
  contains:
    pending:
      description: Those that the code has and the database has not, in the order in which they are applied.
      type: list
      elements: dict
      sample: [{app: jobs, name: 0003_job_level, reversible: true, atomic: true}]
    applied:
      description: Those that the database has.
      type: list
      elements: str
      sample: [jobs.0001_initial, jobs.0002_first_jobs]
    tried:
      description: Whether the pending ones were applied to a copy of the database.
      type: bool
    database:
      description:
        - The database V(default). C(file) says whether it is a file, C(host_path) where on the managed host.
      type: dict
      sample: {alias: default, vendor: sqlite3, file: true, where: checkout, host_path: /root/JunoJobs/db.sqlite3}
    databases:
      description: All databases, in the form of RV(migrations.database).
      type: list
      elements: dict
    why:
      description: Why they were not listed or not tried.
      type: str
static:
  description: What collecting changed; empty without it.
  returned: success
  type: dict
  sample: {static_root: /code/staticfiles, added: 3, removed: 0, manifest_hash_after: 1f2a0c9d7e44, why: ''}
untracked:
  description:
    - Static files that lie in the app's own checkout and that git does not have. They are collected like those
      of the commit; at most 20 are named.
  returned: success
  type: list
  elements: str
  sample: [static/css/output.css]
cache_version:
  description:
    - The cache version as the release can have it. C(value) is 0 where the settings don't honour it, and C(why) says
      so.
    - C(others) are the caches whose keys don't carry it.
  returned: success
  type: dict
  sample: {value: 1769853600, variable: CACHE_VERSION, others: [], why: ''}
actions:
  description: What was done.
  returned: success
  type: list
  elements: dict
  sample: [{what: image, id: 'junojobs-web:juno-1f5d0b1c2a3e', status: built}]
migrates:
  description: Whether M(juno.deploy.release_migrate) is to follow.
  returned: success, for a deploy
  type: bool
  sample: false
"""
