#!/usr/bin/python
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Apply a release's migrations before it serves, or reverse them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_migrate
short_description: Apply a release's migrations before it serves, or reverse them
version_added: 0.2.0
description:
  - Applies the pending migrations of a commit to the database that serves, with the commit's code and image in a
    throwaway container. The app's own directory and containers are not touched, the site goes on serving.
  - The database is copied first, below the app's state directory (O(backup)). A SQLite file in a directory of the host
    or in a volume as of one moment, a PostgreSQL or MySQL/MariaDB server by C(pg_dump), C(mariadb-dump) or
    C(mysqldump), which is looked for in the server's container, on the host, and in the app's image.
  - When the copy fails, nothing is migrated.
  - On PostgreSQL and MySQL an advisory lock of the database lets one host at a time migrate it. What another one has
    applied meanwhile is not applied again, and not this run's own (RV(elsewhere)).
  - When a migration fails, those that were applied before it in the same run are reversed, the last one first, up to
    one that has no way back, or by which data would be lost. The message says what stands.
  - The migrations are those of the database V(default), as with C(manage.py migrate).
extends_documentation_fragment:
  - juno.deploy.attributes
  - juno.deploy.app
attributes:
  check_mode:
    support: partial
    details:
      - With O(to) it tells what would be reversed, which takes a throwaway container. Otherwise it expects a change.
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
options:
  commit:
    description:
      - The full commit whose code has the migrations.
    type: str
    required: true
  images:
    description:
      - The image to run for each service, as RV(juno.deploy.release_build#module:images) names them.
      - Without it the images that serve are run, with the commit's code mounted.
    type: dict
    default: {}
  databases:
    description:
      - The databases, as RV(juno.deploy.release_build#module:migrations.databases) names them.
      - Without it they are looked up first, which takes one more throwaway container.
    type: list
    elements: dict
    default: []
  to:
    description:
      - Reverse instead. For each Django app the name of its last migration that is to stay, or an empty text to reverse
        all of them.
      - Nothing is reversed when one of the migrations has no way back.
    type: dict
    default: {}
  backup:
    description:
      - When the database is copied.
      - V(auto) copies it before migrations. Where no program is there that could, RV(notices) says so.
      - V(always) copies it even if no migration is pending, and refuses to go on where it can't.
      - V(never) copies nothing.
    type: str
    choices: [auto, always, never]
    default: auto
  backup_timeout_seconds:
    description:
      - How long the dump of a server may take.
    type: int
    default: 600
  timeout_seconds:
    description:
      - How long the migrations may take. Reversing those before one that failed may take as long again.
    type: int
    default: 600
  lock_timeout_seconds:
    description:
      - How long a statement of a migration may wait for a lock (PostgreSQL, MySQL), in seconds. All that the site asks
        of the same table waits behind it.
      - An atomic migration that waited too long is tried again up to five times, with five seconds in between.
    type: int
    default: 5
seealso:
  - module: juno.deploy.release_build
author:
  - juno.deploy contributors (@juno-deploy)
"""

EXAMPLES = r"""
- name: Apply the migrations of the release
  juno.deploy.release_migrate:
    path: /root/JunoJobs
    project: junojobs
    commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    images: {web: 'junojobs-web:juno-1f5d0b1c2a3e'}

- name: Reverse them
  juno.deploy.release_migrate:
    path: /root/JunoJobs
    project: junojobs
    commit: 1f5d0b1c2a3e4f5061728394a5b6c7d8e9f00112
    to: {jobs: 0002_first_jobs}
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
before:
  description:
    - For each app of RV(applied) its last migration from before, empty if there was none. That is what O(to) takes.
  returned: success
  type: dict
  sample: {jobs: 0002_first_jobs}
reversed:
  description: The migrations that were reversed, or would be, in that order.
  returned: with O(to), or when a migration failed
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
  sample:
    - database: /root/JunoJobs/db.sqlite3
      path: /var/lib/juno/junojobs/backup/20261122T190000Z-r9-db.sqlite3
      bytes: 155648
      seconds: 0.02
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

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.juno.deploy.plugins.module_utils import _app, _backup, _migrations
from ansible_collections.juno.deploy.plugins.module_utils._command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._module import run


def work(module: AnsibleModule) -> dict[str, t.Any]:
    """Apply or reverse."""
    order = _migrations.MigrateOrder(
        commit=module.params["commit"],
        images=module.params["images"],
        timeout_seconds=module.params["timeout_seconds"],
        databases=module.params["databases"],
        to=module.params["to"],
        backup=_backup.Wish(module.params["backup"], module.params["backup_timeout_seconds"]),
        lock_timeout_seconds=module.params["lock_timeout_seconds"],
    )
    do = _migrations.reverse_locked if order.to else _migrations.migrate
    return do(run_command, _app.from_params(module.params), order, dry=module.check_mode)


def main() -> None:
    """Run the module."""
    spec = {
        **_app.ARGUMENT_SPEC,
        "commit": {"type": "str", "required": True},
        "images": {"type": "dict", "default": {}},
        "databases": {"type": "list", "elements": "dict", "default": []},
        "to": {"type": "dict", "default": {}},
        "backup": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
        "backup_timeout_seconds": {"type": "int", "default": 600},
        "timeout_seconds": {"type": "int", "default": 600},
        "lock_timeout_seconds": {"type": "int", "default": 5},
    }
    run(AnsibleModule(argument_spec=spec, supports_check_mode=True), work)


if __name__ == "__main__":
    main()
