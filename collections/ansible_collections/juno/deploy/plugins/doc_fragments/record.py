# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group of options O(record): how much of earlier releases stays."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(RECORD) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  record:
    description:
      - How much of earlier releases stays.
    type: dict
    suboptions:
      keep_releases:
        description:
          - How many releases that went well keep their images.
        type: int
        default: 5
      keep_backups:
        description:
          - After how many later releases that went well a copy of a database goes. The newest copy of each database
            stays.
        type: int
        default: 3
      build_cache_keep_mb:
        description:
          - How many MiB may be held by what only builds of this app left. Those are images of the compose project
            without a name, and build cache that came with its builds and that no other build has used since. V(0)
            leaves all of it alone.
        type: int
        default: 0
"""
