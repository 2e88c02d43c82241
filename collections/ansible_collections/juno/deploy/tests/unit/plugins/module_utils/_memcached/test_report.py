# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of memcached_flush."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._memcached import report
from ansible_collections.juno.deploy.plugins.module_utils._memcached.flush import FlushOutcome
from ansible_collections.juno.deploy.plugins.module_utils._memcached.servers import Server

DONE = FlushOutcome(Server("a"), "flushed", items_before=7, items_after=1, survivors=0, verified=True, flushes=1)
UNSEEN = FlushOutcome(Server("b"), "flushed", items_before=8, unverified_reason="memcached -X forbids it", flushes=2)
REFUSED = FlushOutcome(Server("c"), "refused", "c:11211 refused the connection.")
LEFT = FlushOutcome(Server("d"), "survivors", "d:11211 still serves 2.", items_before=9, items_after=2, flushes=2)
WOULD = FlushOutcome(Server("e"), "would_flush", items_before=5)


@pytest.mark.parametrize(
    ("outcome", "changed", "after"),
    [
        (DONE, True, "a:11211: 1 items\n"),
        (UNSEEN, True, "b:11211: flushed, not counted\n"),
        (REFUSED, False, "c:11211: 0 items\n"),
        (LEFT, True, "d:11211: 2 items\n"),
        (WOULD, True, "e:11211: 0 items\n"),
    ],
)
def test_report(outcome, changed, after):
    found = report.report([outcome])
    assert found["changed"] is changed
    assert found["diff"]["after"] == after
    assert found["actions"] == [{"what": "flush", "id": outcome.server.address, "status": outcome.status}]
    assert found["results"][0]["server"] == outcome.server.address
    assert not isinstance(found["results"][0]["container"], Server)


def test_one_flushed_is_a_change_though_others_failed():
    assert report.report([REFUSED, DONE])["changed"] is True


def test_warnings():
    assert report.warnings([DONE, UNSEEN, REFUSED, LEFT, WOULD]) == [
        "b:11211 was flushed 2 times, but that nothing old is left could not be verified: memcached -X forbids it."
    ]


def test_require_flushed():
    report.require_flushed([DONE, UNSEEN, WOULD], {})
    with pytest.raises(JunoError) as caught:
        report.require_flushed([DONE, REFUSED, LEFT], {"changed": True})
    assert caught.value.message == (
        "2 of 3 memcached servers could not be flushed. c:11211 refused the connection. d:11211 still serves 2."
    )
    assert caught.value.details == {"changed": True}
