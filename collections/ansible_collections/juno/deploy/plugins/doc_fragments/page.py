# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of a site, and what each must show; the module says what for."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(PAGE) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  pages:
    type: list
    elements: dict
    suboptions:
      path:
        description:
          - Path with an optional query, beginning with a slash.
        type: str
        required: true
      status:
        description:
          - HTTP status that the page must answer. A redirect is an answer with its own status.
        type: int
        default: 200
      contains:
        description:
          - Texts that the page's source must contain, as they are written in HTML.
        type: list
        elements: str
        default: []
      excludes:
        description:
          - Texts that the page's source must not contain, for example one of the old release.
        type: list
        elements: str
        default: []
"""
