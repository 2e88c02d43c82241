# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Headers of the requests for pages that nobody is shown."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of C(CHECK_HEADERS) in C(module_utils/_base/options.py)."""

    DOCUMENTATION = r"""
options:
  check_headers:
    description:
      - Headers, by name, that each page of the site and each file of it is asked for with, for example
        C(Authorization) where a front proxy wants a login. They are sent to the site's address and to its containers
        alone, and no redirect takes them to another host.
      - Their values are never shown, and in no file. So one has 6 characters at least, all in one line.
    type: dict
    default: {}
    version_added: 0.2.0
"""
