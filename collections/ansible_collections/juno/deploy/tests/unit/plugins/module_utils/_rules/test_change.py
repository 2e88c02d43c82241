# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed files need: tables."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._rules import change, rules

FILE, LINK, MODULE = "100644", "120000", "160000"
MOUNTED = change.Surroundings(lambda _path: change.Seen(by_mount=True, by_image=False))
IN_IMAGE = change.Surroundings(lambda _path: change.Seen(by_mount=False, by_image=True))
FULL = ["build", "collect", "migrate", "workers", "clear"]


def changed(*paths: str, status: str = "M", mode: str = FILE) -> list[diff.Change]:
    return [diff.Change(path, status, (mode, mode)) for path in paths]


def needs(paths, around=MOUNTED, **more) -> change.Needs:
    return change.sort_out(changed(*paths, **more), rules.Rules(), around)


@pytest.mark.parametrize(
    ("paths", "mounted", "in_image"),
    [
        (["templates/home.html"], ["workers", "clear"], ["build", "workers", "clear"]),
        (["jobs/models.py"], ["workers", "clear"], ["build", "workers", "clear"]),
        (["requirements.txt"], FULL, FULL),
        (
            ["static/a.css"],
            ["collect", "workers", "clear_naming"],
            ["build", "collect", "workers", "clear_naming"],
        ),
        # Everything goes, these pages too.
        (["static/a.css", "templates/b.html"], ["collect", "workers", "clear"], None),
        (["jobs/migrations/0002_x.py"], ["migrate", "workers", "clear"], None),
        (["locale/de/django.po"], ["translate", "workers", "clear"], ["build", "workers", "clear"]),
        (
            ["tailwind.config.js"],
            ["build", "collect", "workers", "clear_naming"],
            ["build", "collect", "workers", "clear_naming"],
        ),
        (["README.md", "jobs/tests/test_x.py", ".github/workflows/x.yml", "media/x.jpg"], [], []),
        (["what/is.this"], FULL, FULL),
        (["README.md", "what/is.this"], FULL, FULL),
    ],
)
def test_steps(paths, mounted, in_image):
    assert list(needs(paths).steps) == mounted
    if in_image is not None:
        assert list(needs(paths, IN_IMAGE).steps) == in_image


def test_each_step_knows_the_files_behind_it():
    found = needs(["static/a.css", "templates/b.html", "README.md"])
    assert found.steps == {
        "collect": ["static/a.css"],
        "workers": ["static/a.css", "templates/b.html"],
        "clear": ["templates/b.html"],
    }
    assert found.kinds == {
        "static file": ["static/a.css"],
        "template": ["templates/b.html"],
        "documentation": ["README.md"],
    }
    assert found.files == 3


def test_an_own_front_end_needs_no_image():
    around = dataclasses.replace(MOUNTED, own_frontend=True)
    assert list(needs(["src/main.scss"], around).steps) == ["frontend", "collect", "workers", "clear_naming"]


def test_what_the_dockerfile_names_needs_a_build():
    around = dataclasses.replace(MOUNTED, copied=("conf/gunicorn.py", "README.md"))
    assert list(needs(["conf/gunicorn.py"], around).steps) == ["build", "workers", "clear"]
    assert needs(["README.md"], around).steps == {}


@pytest.mark.parametrize(
    ("path", "by_mount", "by_image", "steps"),
    [
        ("notes/x.bin", False, False, []),
        ("templates/a.html", False, False, []),
        ("notes/x.bin", True, False, FULL),
        ("templates/a.html", True, False, ["workers", "clear"]),
        ("templates/a.html", False, True, ["build", "workers", "clear"]),
        # One service has it mounted, another has it from the image alone.
        ("templates/a.html", True, True, ["build", "workers", "clear"]),
        # Containers are made from it, though no image has it.
        ("docker-compose.yml", False, False, FULL),
        ("Dockerfile", False, False, FULL),
    ],
)
def test_what_a_container_sees_follows_from_its_mounts_and_its_image(path, by_mount, by_image, steps):
    around = change.Surroundings(lambda _path: change.Seen(by_mount, by_image))
    assert list(needs([path], around).steps) == steps


def test_what_the_containers_are_made_from_counts_though_no_container_sees_it():
    ignored = change.Surroundings(
        lambda _path: change.Seen(by_mount=False, by_image=False),
        made_from=frozenset({"docker/prod.yml", "docker/web.Dockerfile"}),
    )
    for path in ("docker/prod.yml", "docker/web.Dockerfile", "docker/docker-compose.yml"):
        assert "build" in needs([path], ignored).steps
    assert needs(["docker/other.yml"], ignored).steps == {}


def test_a_file_that_is_mounted_by_itself_is_held_by_a_container_that_runs():
    around = dataclasses.replace(MOUNTED, mounted_files=frozenset({"settings.py"}))
    assert needs(["settings.py", "urls.py"], around).held == ["settings.py"]


@pytest.mark.parametrize("modes", [(MODULE, MODULE), ("000000", MODULE), (MODULE, "000000")])
def test_a_submodule_needs_every_step(modes):
    found = change.sort_out([diff.Change("docs/theme", "M", modes)], rules.Rules(), MOUNTED)
    assert list(found.steps) == FULL
    assert list(found.kinds) == ["submodule"]


@pytest.mark.parametrize(
    ("links", "path", "steps"),
    [
        ({"templates/snippets": "docs/snippets"}, "docs/snippets/x.md", ["workers", "clear"]),
        ({"templates/x.html": "docs/x.md"}, "docs/x.md", ["workers", "clear"]),
        ({"templates/x.html": "docs/x.md"}, "docs/y.md", []),
        ({"templates/all": "."}, "README.md", ["workers", "clear"]),
        # Too many to follow: any file may be reached.
        (None, "docs/y.md", FULL),
    ],
)
def test_a_file_is_what_a_symbolic_link_makes_it_too(links, path, steps):
    assert list(needs([path], dataclasses.replace(MOUNTED, links=links)).steps) == steps


def test_a_symbolic_link_that_nobody_knows_may_lead_anywhere():
    assert list(needs([".vscode/x"], mode=LINK).steps) == FULL
    assert needs(["docs/x"], mode=LINK).steps == {}


def test_files_mounted_into_other_services_are_told():
    around = dataclasses.replace(MOUNTED, mounted_elsewhere=(("nginx.conf", "nginx"), ("search", "meili")))
    found = needs(["nginx.conf", "search/a.json", "searching.json"], around)
    told = "{} is mounted into '{}', which a deploy does not restart: 'update_services: [{}]' replaces it"
    assert found.notices == [told.format("nginx.conf", *["nginx"] * 2), told.format("search/a.json", *["meili"] * 2)]


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("nginx", "'nginx' checks nginx/shop.conf, and reads it without loss once the new release serves"),
        # The container goes on seeing the file that git has replaced.
        ("nginx/shop.conf", "'update_services: [nginx]' replaces it"),
    ],
)
def test_a_front_proxy_reads_its_folder_again(place, told):
    around = dataclasses.replace(MOUNTED, mounted_elsewhere=((place, "nginx"),), reloaded=frozenset({"nginx"}))
    (notice,) = needs(["nginx/shop.conf"], around).notices
    assert notice.endswith(told)


def test_migrations_and_static_files_are_told_with_what_becomes_of_them():
    changes = [
        *changed("jobs/migrations/0002_b.py", "static/new.css", status="A"),
        *changed("jobs/migrations/0001_a.py", "static/old.css", status="D"),
        *changed("jobs/migrations/__init__.py", "static/a.css"),
    ]
    found = change.sort_out(changes, rules.Rules(), MOUNTED)
    assert found.migrations == ["+ jobs.0002_b", "- jobs.0001_a"]
    assert found.static == ["+ static/new.css", "- static/old.css", "~ static/a.css"]


def test_names_keep_to_their_line():
    assert change.some(["a\nb", "c", "d", "e", "f"]) == "'a\\nb', c, d and 2 more"
