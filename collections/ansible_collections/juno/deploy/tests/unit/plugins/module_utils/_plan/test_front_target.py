# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front proxy's files as a commit has them, in a real repository."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError
from ansible_collections.juno.deploy.plugins.module_utils._git import diff
from ansible_collections.juno.deploy.plugins.module_utils._plan import front_target

from . import plan_world

#: The fixture.
world = plan_world.world

CONF = "http {{ server {{ location / {{ proxy_pass http://{}; }} }} }}\n"


@pytest.fixture
def site(world):
    """Return the app, whose front proxy has a folder of the checkout."""
    top = pathlib.Path(world.app.path)
    (top / "nginx").mkdir()
    (top / "nginx/nginx.conf").write_text(CONF.format("web:8000"))
    (top / "Dockerfile").write_text("FROM python\n")
    commit(world)
    return world


def config(world, **nginx):
    mount = {"type": "bind", "source": os.path.join(world.app.path, "nginx"), "target": "/etc/nginx/site"}
    front = {"image": "nginx:1.28", "volumes": [mount], "depends_on": {"web": {}}, **nginx}
    return {"name": "jobs", "services": {"web": {"build": {"context": world.app.path}}, "nginx": front, "db": {}}}


def commit(world):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["add", "--all"], [*who, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", world.app.path, *words], check=True)
    return world.head()


def require(world, texts, wanted=None):
    """Commit files (None: without that one), go back, and ask about the commit."""
    before = world.head()
    for name, text in texts.items():
        path = pathlib.Path(world.app.path, name)
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    made = commit(world)
    subprocess.run(["git", "-C", world.app.path, "checkout", "-q", "--detach", before], check=True)
    changes = diff.changes(world.run, world.app.path, before, made)
    here = config(world)
    front_target.require_asked(world.run, world.app, (here, wanted or here), changes, made)
    return made


def test_a_commit_that_takes_the_site_from_the_front_proxy_is_refused(site):
    with pytest.raises(BadInputError) as caught:
        require(site, {"nginx/nginx.conf": CONF.format("shop:8000")})
    changed = subprocess.run(["git", "-C", site.app.path, "status", "--short"], check=True, capture_output=True)
    assert changed.stdout == b""
    said = caught.value.message
    assert said.startswith("nginx/nginx.conf of ")
    assert said.endswith(
        " no longer names 'web', which 'nginx' asked until now, and no other front proxy does: visitors would lose the "
        "site. Name it there again; or set 'base_url' to where they are to come in. Nothing was changed."
    )


def test_so_is_one_that_deletes_the_file(site):
    with pytest.raises(BadInputError, match=r"^nginx/nginx.conf of .* no longer names 'web'"):
        require(site, {"nginx/nginx.conf": None, "nginx/other.conf": "# proxy_pass http://web:8000;\n"})


def test_and_one_whose_compose_file_mounts_another(site):
    moved = {"type": "bind", "source": os.path.join(site.app.path, "static"), "target": "/etc/nginx/site"}
    with pytest.raises(BadInputError, match=r"^nginx/nginx.conf of .* no longer names 'web'"):
        require(
            site,
            {"nginx/nginx.conf": None, "static/nginx.conf": CONF.format("shop:8000")},
            config(site, volumes=[moved]),
        )


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param({"README": "x"}, id="another file"),
        pytest.param({"nginx/nginx.conf": CONF.format("web:8000") + "# more\n"}, id="it names it"),
        pytest.param(
            {"nginx/nginx.conf": None, "nginx/site.conf": CONF.format("web:9000")}, id="another file names it"
        ),
        pytest.param(
            {"nginx/nginx.conf": "set $site web;\nproxy_pass http://$site:8000;\n"}, id="its address is made of parts"
        ),
    ],
)
def test_the_front_proxy_still_asks(site, texts):
    require(site, texts)


def test_another_folder_may_have_it(site):
    moved = {"type": "bind", "source": os.path.join(site.app.path, "front"), "target": "/etc/nginx/site"}
    texts = {"nginx/nginx.conf": None, "front/nginx.conf": CONF.format("web:8000")}
    with pytest.raises(BadInputError):
        require(site, {"nginx/nginx.conf": CONF.format("shop:8000")}, config(site, volumes=[]))
    require(site, texts, config(site, volumes=[moved]))


def test_a_front_proxy_may_go(site):
    wanted = config(site)
    del wanted["services"]["nginx"]
    require(site, {"nginx/nginx.conf": None, "README": "x"}, wanted)


def test_another_one_may_come_between(site):
    wanted = config(site)
    wanted["services"]["varnish"] = {"image": "varnish", "command": ["varnishd", "-b", "web:8000"]}
    require(site, {"nginx/nginx.conf": CONF.format("varnish:80")}, wanted)


def test_what_never_asked_the_site_is_not_asked_about(site):
    here = config(site)
    here["services"]["web"]["network_mode"] = "host"
    front_target.require_asked(site.run, site.app, (here, here), [], "c1")
    pathlib.Path(site.app.path, "nginx/nginx.conf").write_text(CONF.format("shop:8000"))
    front_target.require_asked(site.run, site.app, (config(site), config(site)), [], "c1")
