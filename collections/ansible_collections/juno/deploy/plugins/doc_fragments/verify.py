# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group of options O(verify): how a release is verified."""

from __future__ import annotations

from ansible_collections.juno.deploy.plugins.doc_fragments import checks
from ansible_collections.juno.deploy.plugins.plugin_utils import _fragment


class ModuleDocFragment:
    """Options of C(VERIFY) in C(module_utils/_base/options.py)."""

    # Beside the checks.
    OPTIONS = r"""
options:
  release_header:
    description:
      - A response header in which the site names its commit; nothing where it has none.
    type: str
    default: ''
"""

    # Not as a plain assignment, of which yamllint's sanity test takes each for a literal.
    DOCUMENTATION: str = _fragment.group(
        "verify",
        "How the new release is verified, as with M(juno.deploy.freshness_check).",
        checks.ModuleDocFragment.DOCUMENTATION,
        OPTIONS,
    )
