# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where docker compose would pull by itself."""

from __future__ import annotations

import json
import pathlib

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import pull_policy

NEVER = ["--pull", "never"]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (None, []),
        ("missing", []),
        ("if_not_present", []),
        ("never", []),
        ("build", []),
        ("always", NEVER),
        ("daily", NEVER),
        ("every_12h", NEVER),
    ],
)
def test_compose_is_kept_from_it(tmp_path, policy, words):
    service = {"image": "shop", **({"pull_policy": policy} if policy else {})}
    config = {"services": {"web": service, "db": {"image": "postgres", "pull_policy": "always"}}}
    assert pull_policy.words(config, ("web", "gone")) == words
    path = pull_policy.override(str(tmp_path), "web", service)
    assert bool(path) is bool(words)
    if path:
        assert json.loads(pathlib.Path(path).read_text()) == {"services": {"web": {"pull_policy": "never"}}}
