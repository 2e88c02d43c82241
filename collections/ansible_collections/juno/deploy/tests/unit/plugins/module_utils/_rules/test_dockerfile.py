# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Dockerfile takes, and what .dockerignore keeps out."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._rules import dockerfile


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("COPY requirements.txt .", ("requirements.txt",)),
        ("COPY . .\nADD ./ /code/", ()),
        ("copy --chown=1:1 --link a.cfg ./b/*.cfg /etc/", ("a.cfg", "b/*.cfg")),
        ('COPY ["a b.cfg", "/etc/"]', ("a b.cfg",)),
        ("COPY --from=build /out /code", ()),
        ("COPY a.cfg \\\n # no\n  b.cfg \\\n /etc/", ("a.cfg", "b.cfg")),
        ("# escape=`\nCOPY a.cfg `\n b.cfg c:/", ("a.cfg", "b.cfg")),
        ("COPY ${WHERE}/a.cfg /etc/", ("*/a.cfg",)),
        ("ADD https://example.com/x.tar /x", ()),
        ("RUN echo COPY x y", ()),
        ("COPY conf/ /etc/conf/", ("conf",)),
    ],
)
def test_what_it_names(text, found):
    assert dockerfile.named_files(text) == found


@pytest.mark.parametrize(
    ("path", "yes"), [("a.cfg", True), ("b/x.cfg", True), ("conf/x", False), ("c.cfg", False), ("conf", True)]
)
def test_a_folder_that_it_names_is_not_each_file_in_it(path, yes):
    assert dockerfile.names(("a.cfg", "b/*.cfg", "conf"), path) is yes


IGNORE = """
# comment
node_modules
/docs
**/*.pyc
*.md
!README.md
notes/*/draft?.txt
"""


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("node_modules/x/y.js", True),
        ("web/node_modules/y.js", False),
        ("docs/a.txt", True),
        ("a/b/c.pyc", True),
        ("c.pyc", True),
        ("NEWS.md", True),
        ("a/NEWS.md", False),
        ("README.md", False),
        ("notes/a/draft1.txt", True),
        ("notes/a/b/draft1.txt", False),
        ("jobs/views.py", False),
    ],
)
def test_what_stays_out_of_the_image(path, out):
    assert dockerfile.Ignored(IGNORE)(path) is out
