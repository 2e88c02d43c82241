# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a cache goes."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(CACHE_POLICY) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  mode:
    description:
      - What of a cache goes.
      - With V(auto), the app's own entries and nothing else where they can be told apart (memcached that lists its
        keys, C(RedisCache), C(DatabaseCache)), so that sessions and keys of others stay; else everything, unless that
        takes the app's sessions.
      - V(selective) fails where entries can't be deleted one by one.
      - V(flush) empties the whole place, and fails with the numbers where it would take sessions or keys of others.
    type: str
    choices: [auto, selective, flush]
    default: auto
    version_added: 0.2.0
  keep:
    description:
      - Entries that stay, beside sessions, where entries are deleted one by one. V(pages), V(fragments), or a regular
        expression that is searched in the key.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  allow_loss:
    description:
      - Allow a flush that takes sessions or keys of others.
    type: bool
    default: false
    version_added: 0.2.0
"""
