# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""As what a site behind a proxy is asked for pages."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(FORWARDED) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  forwarded_proto:
    description:
      - Value for the C(X-Forwarded-Proto) header. V(https) keeps a site that trusts this header from redirecting.
    type: str
    choices: [http, https]
"""
