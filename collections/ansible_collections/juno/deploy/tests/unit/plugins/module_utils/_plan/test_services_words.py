# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan says about the other services."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._plan import services_words
from ansible_collections.juno.deploy.plugins.module_utils._plan.other_service import APART, BEHIND, NEEDED

from .some_services import CHANGED, service


@pytest.mark.parametrize(
    ("one", "lines"),
    [
        (service("db", NEEDED), []),
        (
            service("db", NEEDED, differs=CHANGED),
            [
                (
                    "Notice: db: its configuration is not what its container was made with, and it is not touched "
                    "('update_services: [db]' replaces it; the site waits for it and may answer errors "
                    "meanwhile)"
                )
            ],
        ),
        (
            service("proxy", BEHIND, differs=("the files of its build have changed",), publishes=True, asked=True),
            [
                (
                    "proxy: the files of its build have changed: it is replaced, as 'update_services' asks; "
                    "nobody is answered at its ports meanwhile"
                )
            ],
        ),
        (
            service("redis", APART, asked=True),
            ["redis: its image is pulled, and a newer one replaces it; it is away meanwhile"],
        ),
        (service("redis", APART, asked=True, built=True), []),
        (service("db", NEEDED, "", starts=True), ["db has no container yet: it is started, since web depends on it"]),
        (
            service("proxy", BEHIND, "", starts=True),
            ["proxy has no container yet: it is started, as docker compose up does"],
        ),
        (
            service("adminer", APART, ""),
            ["Notice: adminer has no container, and is left alone (docker compose up --detach adminer starts it)"],
        ),
        (
            service("adminer", APART, "exited"),
            ["Notice: adminer is stopped (Exited (1) 5 minutes ago), and is left alone"],
        ),
        (service("seed", APART, "exited", "Exited (0) 2 days ago", may_end=True), []),
        (service("migrate", NEEDED, "exited", once=True, differs=CHANGED), []),
        (
            service("proxy", BEHIND, "restarting", "Restarting (1) 3 seconds ago"),
            ["Notice: proxy ends again and again (Restarting (1) 3 seconds ago): its log tells why"],
        ),
    ],
)
def test_what_is_said(one, lines):
    assert services_words.words([one], "web", site_runs=True) == lines
