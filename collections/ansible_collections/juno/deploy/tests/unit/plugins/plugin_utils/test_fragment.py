# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of doc fragments, in a group."""

from __future__ import annotations

import yaml
from ansible_collections.juno.deploy.plugins.plugin_utils import _fragment as it

CHECKS = r"""
options:
  pages:
    description:
      - How many of O(map), or of O(pages=0), like O(other) and O(map_of).
    type: int
    version_added: 0.2.0
"""
MAP = r"""
options:
  map:
    description:
      - The map.
    type: str
"""


def test_in_a_group_they_name_each_other_with_it_and_are_as_old_as_it():
    assert yaml.safe_load(it.group("verify", "How it is verified.", CHECKS, MAP)) == {
        "options": {
            "verify": {
                "description": ["How it is verified."],
                "type": "dict",
                "suboptions": {
                    "pages": {
                        "description": [
                            "How many of O(verify.map), or of O(verify.pages=0), like O(other) and O(map_of)."
                        ],
                        "type": "int",
                    },
                    "map": {"description": ["The map."], "type": "str"},
                },
            }
        }
    }
