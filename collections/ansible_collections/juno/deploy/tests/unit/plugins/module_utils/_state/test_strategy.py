# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which strategy is taken."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._state import strategy

NO_RELOAD, NO_PROXY = "not reload, because A", "not rolling, because B"


@pytest.mark.parametrize(
    ("wanted", "no_reload", "no_proxy", "taken", "reasons"),
    [
        ("rolling", "", "", "rolling", ()),
        ("rolling", "A", "", "rolling", ()),
        ("rolling", "", "B", "recreate", (NO_PROXY,)),
        ("reload", "", "", "reload", ()),
        ("reload", "", "B", "reload", ()),
        ("reload", "A", "", "rolling", (NO_RELOAD,)),
        ("reload", "A", "B", "recreate", (NO_RELOAD, NO_PROXY)),
        ("recreate", "A", "B", "recreate", ()),
        ("recreate", "", "", "recreate", ()),
    ],
)
def test_the_wanted_one_or_the_next_that_is_possible(wanted, no_reload, no_proxy, taken, reasons):
    chosen = strategy.choose(wanted, no_reload=no_reload, no_proxy=no_proxy)
    assert (chosen.strategy, chosen.reasons) == (taken, reasons)
