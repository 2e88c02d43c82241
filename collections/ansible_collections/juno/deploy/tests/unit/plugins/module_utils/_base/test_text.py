# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines, sizes and addresses for a person to read."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible.module_utils.common.text.formatters import bytes_to_human
from ansible_collections.juno.deploy.plugins.module_utils._base import text as base_text
from ansible_collections.juno.deploy.plugins.module_utils._base.text import as_lines, docs_page, size

KB, MB, GB = 1024, 1024**2, 1024**3


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        ([], []),
        ([""], []),
        (["one", "two"], ["one", "two"]),
        (["Commit: 1f5d0b1c2a3e ", "        behind"], ["Commit: 1f5d0b1c2a3e", "        behind"]),
        (["one\ntwo \n\n  \nthree\n"], ["one", "two", "three"]),
        (["one\r\ntwo\rthree"], ["one", "two", "three"]),
    ],
)
def test_each_element_is_one_line(texts, lines):
    assert as_lines(texts) == lines


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0.00 Bytes"), (1, "1.00 Bytes"), (10, "10.00 Bytes"), (100, "100.00 Bytes"), (KB - 1, "1023.00 Bytes"),
     (KB, "1.00 KB"), (33843, "33.05 KB"), (155648, "152.00 KB"), (MB - 1, "1024.00 KB"), (MB, "1.00 MB"),
     (3 * GB // 2, "1.50 GB"), (5000 * GB, "4.88 TB"), (1024**8, "1.00 YB"), (1024**9, "1024.00 YB"),
     (1.5, "1.50 Bytes")],
)  # fmt: skip
def test_a_size_is_as_ansible_writes_it(count, text):
    assert size(count) == text == bytes_to_human(count)


def test_a_page_is_where_the_collection_says_its_documentation_is():
    galaxy = pathlib.Path(base_text.__file__).parents[3] / "galaxy.yml"
    documentation = yaml.safe_load(galaxy.read_text(encoding="utf-8"))["documentation"]
    assert docs_page("strategies") == f"{documentation}/strategies.md"
