# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For how long browsers and proxies keep an answer."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._verify import lifetimes


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"cache-control": "max-age=0"}, 0),
        ({"cache-control": "max-age=300"}, 300),
        ({"cache-control": "max-age=300", "age": "100"}, 300),
        ({"cache-control": "max-age=0, s-maxage=86400"}, 86400),
        ({"cache-control": "private, max-age=60, s-maxage=86400"}, 60),
        ({"cache-control": "no-cache, max-age=300"}, 0),
        ({"cache-control": "no-store"}, 0),
        ({"expires": "Sat, 31 Jan 2026 11:00:00 GMT", "date": "Sat, 31 Jan 2026 10:00:00 GMT"}, 3600),
    ],
)
def test_the_longest_counts(headers, seconds):
    assert lifetimes.longest_seconds(headers) == seconds
