# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key functions of the app's own."""

import hashlib


def hashed(key, key_prefix, version):
    """Make keys that nobody can tell apart."""
    return hashlib.sha256(f"{key_prefix}:{version}:{key}".encode()).hexdigest()


def marked(key, key_prefix, version):
    """Make keys with a prefix that is not Django's."""
    return f"shop|{key_prefix}|{version}|{key}"


def fails(key, key_prefix, version):
    """Make no key at all."""
    raise KeyError(key)
