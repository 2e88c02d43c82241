# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a container has the commit's code: tables; what is told by a real Python."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._in_app import loaded_code
from ansible_collections.juno.deploy.plugins.module_utils._switch import running_code
from ansible_collections.juno.deploy.plugins.module_utils._switch.running_code import Commits, Mount

TREE = {
    "manage.py": "m",
    "shop/views.py": "v2",
    "templates/a.html": "a2",
    "docs/x.html": "d2",
    "shop/tests/test_a.py": "t2",
}
OLD = {**TREE, "shop/views.py": "v1", "templates/a.html": "a1", "docs/x.html": "d1", "shop/tests/test_a.py": "t1"}
VOLUME = Mount("/code", "the volume app_code", "take it out of the compose file")
DEEPER = Mount("/code/templates", "/srv/t of the host", "mount the checkout")


@pytest.mark.parametrize(
    ("files", "mounts", "host", "found"),
    [
        ({**TREE}, [VOLUME], {}, ([], None)),
        # A build may change files, and a volume keeps them.
        ({**TREE, "shop/views.py": "built"}, [], {}, ([], None)),
        ({**TREE, "shop/views.py": "v0"}, [VOLUME], {}, (["shop/views.py"], VOLUME)),
        ({**TREE, "templates/a.html": "a0"}, [DEEPER, VOLUME], {}, (["templates/a.html"], DEEPER)),
        # The image has what the release before had.
        ({**TREE, "shop/views.py": "v1"}, [], {}, (["shop/views.py"], None)),
        # What needs no new image may be old in it.
        ({**TREE, "shop/tests/test_a.py": "t1", "docs/x.html": "d1"}, [], {}, ([], None)),
        # What git doesn't have, and what an image leaves out.
        ({"manage.py": "m", "shop/local.py": "x"}, [VOLUME], {}, ([], None)),
        # git writes other line ends into the checkout, which the container has mounted.
        ({**TREE, "shop/views.py": "crlf"}, [VOLUME], {"shop/views.py": "crlf"}, ([], None)),
        ({}, [VOLUME], {}, ([], None)),
    ],
)
def test_fault(files, mounts, host, found):
    result = running_code.fault("/code", files, Commits(TREE, OLD), mounts, lambda path: host.get(path, ""))
    assert result == found


def test_an_image_that_was_not_made_now_may_be_older():
    assert running_code.fault("/code", {"shop/views.py": "v1"}, Commits(TREE, {}), [], lambda _path: "") == ([], None)


def test_the_apps_folder_may_lie_deeper_in_the_repository():
    tree = {f"backend/{name}": content for name, content in TREE.items()} | {"other/manage.py": "o"}
    files = {**TREE, "shop/views.py": "v0"}
    found = running_code.fault("/app", files, Commits(tree, {}), [Mount("/app", "x", "y")], lambda _path: "")
    assert found[0] == ["backend/shop/views.py"]
    assert running_code.fault("/app", files, Commits({"a.py": "x"}, {}), [], lambda _path: "") == ([], None)


def test_parse_tree():
    text = "100644 blob aa\tmanage.py\x00160000 commit bb\tlib\x00100755 blob cc\ta b/\u00e4.py\x00"
    assert running_code.parse_tree(text) == {"manage.py": "aa", "a b/\u00e4.py": "cc"}


def test_parse_mounts_the_deepest_first():
    found = running_code.parse_mounts(
        [
            {"Type": "volume", "Name": "app_code", "Source": "/var/lib/x", "Destination": "/code"},
            {"Type": "bind", "Source": "/srv/t", "Destination": "/code/templates/"},
        ]
    )
    assert [(one.target, one.what) for one in found] == [
        ("/code/templates", "/srv/t of the host"),
        ("/code", "the volume app_code"),
    ]


def test_what_is_wrong_is_one_sentence():
    text = running_code.message("a" * 40, "web-2", "web", ["a.py", "b.py"], VOLUME)
    assert text == (
        "The new container web-2 does not have the code of aaaaaaaaaaaa (a.py, b.py differ), because the volume "
        "app_code lies over /code: take it out of the compose file, and deploy again."
    )
    assert "the image of 'web' was not made from this commit" in running_code.message("a", "b", "web", ["a.py"], None)


def test_code_is_named_as_git_names_it(tmp_path):
    for name, text in {"src/manage.py": "1\n", "src/a/b.py": "2\n", "src/t/x.html": "3\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("static/a.html", "node_modules/a.py", "a/data.json", "venv/a.py", ".hidden/a.py"):
        (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "src" / name).write_text("x")
    (tmp_path / "src/venv/pyvenv.cfg").write_text("")
    os.symlink("nowhere", tmp_path / "src/gone.py")
    top = loaded_code.find_top(str(tmp_path))
    assert top == str(tmp_path / "src")
    found = loaded_code.look(top)
    assert sorted(found) == ["a/b.py", "manage.py", "t/x.html"]
    words = ["git", "hash-object", str(tmp_path / "src/a/b.py")]
    assert found["a/b.py"] == subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_without_manage_py_nothing_is_told(tmp_path):
    assert loaded_code.find_top(str(tmp_path)) == ""
