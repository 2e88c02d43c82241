# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a front proxy's configuration asks the site; which texts are its configuration is in test_front_proxy."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import front_config


def test_comments_ask_nobody():
    text = "upstream shop {\n  # server web:5000;\n  server web:8000;\n}\n"
    assert front_config.asked_ports(text, ("web",)) == [8000]


@pytest.mark.parametrize(
    ("text", "ports"), [("web:8000 web:8000", [8000, 8000]), ("my-web:8000", []), ("web:0 web:70000 web:1", [1])]
)
def test_each_port_as_often_as_it_stands_there(text, ports):
    assert front_config.asked_ports(text, ("web",)) == ports


def test_the_lines_of_a_dockerfile(tmp_path):
    (tmp_path / "Dockerfile").write_text('FROM nginx\nCOPY a.conf /etc/\ncmd ["nginx"]\n')
    assert front_config.lines(str(tmp_path), "Dockerfile", ("COPY", "CMD")) == ["COPY a.conf /etc/", 'cmd ["nginx"]']


@pytest.mark.parametrize(
    ("text", "keeps"),
    [
        ("location / {\n  proxy_cache pages;\n  proxy_pass http://web:8000;\n}", True),
        ("  uwsgi_cache pages ;\n", True),
        ("CacheEnable disk /", True),
        ("  proxy_cache off;\n", False),
        ("  proxy_cache_valid 200 10m;\n", False),
        ("  # proxy_cache pages;\n", False),
    ],
)
def test_whether_pages_are_kept(text, keeps):
    assert front_config.keeps_pages(text) is keeps
