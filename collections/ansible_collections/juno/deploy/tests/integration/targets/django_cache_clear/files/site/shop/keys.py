# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key function of the app's own."""

import hashlib


def hashed(key, key_prefix, version):
    """Make keys that nobody can tell apart."""
    return hashlib.sha256(f"{key_prefix}:{version}:{key}".encode()).hexdigest()
