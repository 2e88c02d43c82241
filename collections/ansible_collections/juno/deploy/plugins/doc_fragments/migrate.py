# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group of options O(migrate): how a release's migrations are applied and reversed."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(MIGRATE) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  migrate:
    description:
      - How migrations are applied and reversed.
    type: dict
    suboptions:
      backup:
        description:
          - When the database is copied.
          - V(auto) copies it before migrations. Where no program is there that could,
            RV(juno.deploy.release_migrate#module:notices) says so.
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
          - How long a statement of a migration may wait for a lock (PostgreSQL, MySQL), in seconds. All that the
            site asks of the same table waits behind it.
          - An atomic migration that waited too long is tried again up to five times, with five seconds in between.
        type: int
        default: 5
"""
