# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the site's address leads to the site, asked at real sockets of this machine."""

from __future__ import annotations

import http.server
import socket

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import compose_config
from ansible_collections.juno.deploy.plugins.module_utils._base import check_headers
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError, JunoError
from ansible_collections.juno.deploy.plugins.module_utils._proxy import maintenance
from ansible_collections.juno.deploy.plugins.module_utils._release import front_door
from ansible_collections.juno.deploy.tests.unit.plugins.module_utils import local_server, specs

SHOP = "<title>Corner shop</title><p>Bread, cheese and wine</p>"
NGINX = "<title>Welcome to nginx!</title><p>Further configuration is required.</p>"


class Site(http.server.ThreadingHTTPServer):
    """Answers each request with the next of some pages, the last one for ever."""

    pages: list[str]
    status = 200

    def __init__(self, *pages, address="127.0.0.1", port=0):
        super().__init__((address, port), Handler)
        self.pages, self.hosts = list(pages), []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Site

    def do_GET(self):
        self.server.hosts.append(self.headers["Host"])
        pages = self.server.pages
        body = (pages.pop(0) if len(pages) > 1 else pages[0]).encode()
        self.send_response(self.server.status)
        self.send_header("WWW-Authenticate", "Basic realm=shop")
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        """Keep quiet."""


@pytest.fixture
def app(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {}")
    return app_app.App(str(tmp_path), "jobs", "web", (), (), "", str(tmp_path / "state"))


@pytest.fixture
def closed():
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return port


def require(app, monkeypatch, base_url, inside=8000, *, state="running", deploy=True, services=None, **more):
    """Ask; the site's container is at 127.0.0.2 and listens at a port."""
    config = {
        "name": "jobs",
        "services": {"web": {"ports": [{"target": inside, "published": "65000"}]}, **(services or {})},
    }
    monkeypatch.setattr(compose_config, "read", lambda *_any, **_more: config)
    found = {
        "plan": {"deploy": deploy},
        "containers": [{"service": "web", "state": state, "name": "jobs-web-1", "addresses": ["127.0.0.2"]}],
    }
    front_door.require(
        lambda *_any: None, app, specs.release(**{"pages": [{"path": "/"}], **more, "base_url": base_url}), found
    )


def address(server):
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_an_address_that_nobody_listens_at_is_refused_at_once(app, monkeypatch, closed):
    with pytest.raises(JunoError) as caught:
        require(app, monkeypatch, f"http://127.0.0.1:{closed}")
    assert caught.value.message == (
        f"Nobody listens at http://127.0.0.1:{closed} (connection refused), where the site is to be asked, though "
        "'web' serves: correct 'base_url', or start what is to listen there. Nothing was changed."
    )


@pytest.mark.parametrize(
    ("base_url", "said"),
    [
        ("http://nowhere.invalid", r"^The host 'nowhere.invalid' of base_url can't be resolved \(.*\): correct it, or"),
        ("http://127.0.0.1:8001/shop", r"^base_url 'http://127.0.0.1:8001/shop' has a path: leave it out"),
    ],
)
def test_an_address_that_is_none_is_refused(app, monkeypatch, base_url, said):
    with pytest.raises(BadInputError, match=said):
        require(app, monkeypatch, base_url)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"state": "exited"}, id="nothing serves: a first deploy, say"),
        pytest.param({"deploy": False}, id="nothing is to be done"),
    ],
)
def test_where_nobody_need_listen(app, monkeypatch, closed, more):
    require(app, monkeypatch, f"http://127.0.0.1:{closed}", **more)


def test_a_front_proxy_of_the_project_that_does_not_run_may_be_mended_by_the_commit(app, monkeypatch, closed):
    nginx = {"image": "nginx", "ports": [{"target": 80, "published": str(closed)}]}
    require(app, monkeypatch, f"http://127.0.0.1:{closed}", services={"nginx": nginx})


def test_an_address_with_tls_where_none_is_spoken_is_refused(app, monkeypatch):
    with local_server.running(Site(SHOP)) as front:
        url = address(front).replace("http:", "https:")
        with pytest.raises(
            JunoError, match=rf"^What listens at {url} speaks no TLS \(.*http:// where TLS ends elsewhere"
        ):
            require(app, monkeypatch, url)


def test_a_login_that_is_refused_is_told_at_once(app, monkeypatch):
    login = Site(SHOP)
    login.status = 401
    with local_server.running(login) as front:
        check_headers.use({"Authorization": "Basic d3Jvbmc6cGFzc3dvcmQ="})
        with pytest.raises(JunoError, match=r"answers 401: the login in 'check_headers' \(Authorization\) is refused"):
            require(app, monkeypatch, address(front))
        # It may be meant.
        require(app, monkeypatch, address(front), pages=[{"path": "/", "status": 401}])
        check_headers.use({})
        require(app, monkeypatch, address(front), inside=front.server_address[1], verify={"check_containers": False})


def test_without_an_address_of_its_own_nothing_is_asked(app, monkeypatch):
    require(app, monkeypatch, "")


def test_the_maintenance_page_is_not_the_site_s(app, monkeypatch, closed):
    monkeypatch.setattr(maintenance, "is_on", lambda place: place == app.proxy_directory)
    require(app, monkeypatch, f"http://127.0.0.1:{closed}")


def test_another_site_at_the_address_is_refused(app, monkeypatch):
    with local_server.running(Site(NGINX)) as front, local_server.running(Site(SHOP, address="127.0.0.2")) as inside:
        with pytest.raises(JunoError) as caught:
            require(app, monkeypatch, address(front), inside.server_address[1], headers={"Host": "shop.example"})
        assert {*front.hosts, *inside.hosts} == {"shop.example"}
    assert caught.value.message == (
        f"/ at {address(front)}, asked as Host 'shop.example', is not the site's page: it answered 200 with the title "
        "'Welcome to nginx!', where its container has a page with the title 'Corner shop'; correct 'base_url', or the "
        "host that it is asked as; or name in 'pages' a text that the page contains. Nothing was changed."
    )


def test_what_the_site_publishes_itself_is_not_compared(app, monkeypatch):
    with local_server.running(Site(NGINX)) as front, local_server.running(Site(SHOP, address="127.0.0.2")) as inside:
        web = {"ports": [{"target": inside.server_address[1], "published": str(front.server_address[1])}]}
        require(app, monkeypatch, address(front), services={"web": web})
        assert front.hosts == inside.hosts == []


@pytest.mark.parametrize(
    ("front", "inside", "more"),
    [
        pytest.param([SHOP], [SHOP], {}, id="the site"),
        pytest.param([NGINX], [SHOP, NGINX], {}, id="another page each time"),
        pytest.param([NGINX], [SHOP], {"pages": [{"path": "/", "contains": ["nginx"]}]}, id="a text was named"),
        pytest.param([NGINX], [SHOP], {"verify": {"check_containers": False}}, id="containers are not to be asked"),
        pytest.param([NGINX], [SHOP], {"pages": []}, id="no page"),
    ],
)
def test_what_may_be_the_site(app, monkeypatch, front, inside, more):
    with local_server.running(Site(*front)) as out, local_server.running(Site(*inside, address="127.0.0.2")) as within:
        require(app, monkeypatch, address(out), within.server_address[1], **more)


def test_a_container_that_does_not_answer_tells_nothing(app, monkeypatch, closed):
    with local_server.running(Site(NGINX)) as front:
        require(app, monkeypatch, address(front), closed)


def test_a_listener_that_is_silent_is_one(monkeypatch):
    monkeypatch.setattr(front_door, "SECONDS", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        filling = [socket.socket() for _one in range(4)]
        for one in filling:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        where = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]
        assert front_door.refused(where) == ""
        for one in filling:
            one.close()
