# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that say how long static files of earlier releases stay."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(RETENTION) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  keep_releases:
    description:
      - How many releases O(prune) keeps the files of, the one that is live included.
    type: int
    default: 5
  html_max_age:
    description:
      - For how many seconds a browser or a cache may hold a page at most.
    type: int
    default: 3600
"""
