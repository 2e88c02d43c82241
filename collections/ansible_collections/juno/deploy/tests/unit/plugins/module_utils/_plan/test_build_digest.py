# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image is built from, out of a real repository."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.command import run_command
from ansible_collections.juno.deploy.plugins.module_utils._plan.build_digest import build_digest, takes_all


@pytest.mark.parametrize(
    ("recipe", "all_of_it"),
    [
        ("FROM a\nCOPY . .\n", True),
        ("COPY --chown=a:a . /code", True),
        ('COPY [".", "/code"]', True),
        ("ADD ./ /code", True),
        ("COPY --from=build / /x", False),
        ("COPY nginx.conf /etc/", False),
        ("COPY ./conf /etc/", False),
    ],
)
def test_what_takes_all_of_the_context(recipe, all_of_it):
    assert takes_all(recipe) is all_of_it


def test_the_files_of_a_build_tell_whether_it_has_changed(tmp_path):
    def git(*words: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        argv = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def commit(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        git("add", ".")
        git("commit", "-qm", name)
        return git("rev-parse", "HEAD")

    git("init", "-q")
    commit("proxy/Dockerfile", "FROM nginx\nCOPY nginx.conf /etc/\n")
    commit("nginx.Dockerfile", "FROM nginx\nCOPY proxy/nginx.conf /etc/\n")
    first = commit("proxy/nginx.conf", "1")
    other = commit("page.html", "1")
    changed = commit("proxy/nginx.conf", "2")
    own = {"build": {"context": str(tmp_path / "proxy"), "dockerfile": "Dockerfile"}}
    top = {"build": {"context": str(tmp_path), "dockerfile": "nginx.Dockerfile"}}
    for one in (own, top):
        digests = [build_digest(run_command, str(tmp_path), at, one) for at in (first, other, changed)]
        assert digests[0] == digests[1] != digests[2]
        assert all(digests)
    elsewhere = {"build": {"context": "/elsewhere", "dockerfile": "Dockerfile"}}
    assert build_digest(run_command, str(tmp_path), first, elsewhere) == ""
