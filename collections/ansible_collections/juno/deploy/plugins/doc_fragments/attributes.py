# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the attributes of the collection's modules mean."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes that every module of the collection documents."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description:
      - Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation changes nothing.
  platform:
    description: Target OS or families that can be operated against.
"""

    # For modules that only read.
    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - It only reads, so check mode makes no difference.
  diff_mode:
    support: N/A
    details:
      - It changes nothing that a diff could show.
  idempotent:
    support: full
"""
