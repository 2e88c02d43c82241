# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the containers of a directory were started, by their labels."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import compose
from ansible_collections.juno.deploy.plugins.module_utils._init import how_started
from ansible_collections.juno.deploy.plugins.module_utils._init.facts import Started


def labels(project, *files):
    return {how_started.PROJECT: project, how_started.FILES: ",".join(map(str, files))}


@pytest.fixture
def site(tmp_path):
    top = tmp_path / "site"
    top.mkdir()
    for name in ("compose.yml", "prod.yml", "base.yml"):
        (top / name).write_text("services: {}\n")
    (top / compose.OVERRIDE_NAME).write_text(compose.MARK + "\n")
    return top


def test_those_of_the_directory_with_most_containers_first(tmp_path, site):
    (tmp_path / "link").symlink_to(site)
    told = [
        labels("site", site / "compose.yml"),
        labels("live", site / "base.yml", site / "prod.yml", site / compose.OVERRIDE_NAME),
        labels("live", tmp_path / "link" / "base.yml", tmp_path / "link" / "prod.yml"),
        labels("other", tmp_path / "site2" / "compose.yml"),
        {"unrelated": "label"},
    ]
    live = Started("live", ("base.yml", "prod.yml"))
    assert how_started.read(told, str(site)) == [live, Started("site", ("compose.yml",))]
    assert how_started.read(told, str(tmp_path / "link"))[0] == live
    assert how_started.read(told, str(tmp_path / "nowhere")) == []


@pytest.mark.parametrize(
    ("started", "usual", "chosen"),
    [
        ([], ("compose.yml",), ()),
        ([("prod.yml",)], (), ("prod.yml",)),
        ([("base.yml", "prod.yml")], ("compose.yml",), ("base.yml", "prod.yml")),
        ([("compose.yml",)], ("compose.yml",), ()),
        # One that is gone says what was.
        ([("gone.yml",)], ("compose.yml",), ()),
        ([("gone.yml",), ("prod.yml",)], ("compose.yml",), ("prod.yml",)),
        # Most containers decide.
        ([("compose.yml",), ("prod.yml",)], ("compose.yml",), ()),
    ],
)
def test_files_that_docker_compose_would_not_take_by_itself(site, started, usual, chosen):
    known = [Started("site", files) for files in started]
    assert how_started.chosen(known, usual, str(site)) == chosen
