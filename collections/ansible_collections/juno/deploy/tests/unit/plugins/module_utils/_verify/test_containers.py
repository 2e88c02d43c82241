# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which containers are asked at which port, and what is read of a file. Integration tests ask an Engine itself."""

from __future__ import annotations

import io
import tarfile

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import engine
from ansible_collections.juno.deploy.plugins.module_utils._app.engine import Container, Published
from ansible_collections.juno.deploy.plugins.module_utils._verify import containers
from ansible_collections.juno.deploy.plugins.module_utils._verify.containers import Endpoint


def container(name="jobs-web-1", addresses=("172.18.0.2",), ports=(8000,), published=()):
    return Container(
        id=name, name=name, service="web", number=1, state="running", image_id="", addresses=addresses, ports=ports,
        published=published,
    )  # fmt: skip


class Client:
    """An Engine with one file, packed as it packs it."""

    def __init__(self, *members, size=None):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for info, body in members:
                archive.addfile(info, io.BytesIO(body))
        self.packed = packed.getvalue()
        self.size = size
        self.api = self
        self.asked = []

    def get_archive(self, _container, path):
        self.asked.append(path)
        pieces = (self.packed[at : at + 1000] for at in range(0, len(self.packed), 1000))
        return pieces, {"size": len(self.packed) if self.size is None else self.size}

    def inspect_container(self, _container):
        return {"Config": {"WorkingDir": "/code"}}


def file(body, name="staticfiles.json", kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(body)
    return info, body


@pytest.fixture(autouse=True)
def sdk():
    engine.load()


@pytest.mark.parametrize(
    ("first", "proxies", "port"),
    [
        (container(), 0, 8000),
        (container(ports=(8000, 9000)), 0, 0),
        (container(ports=()), 0, 0),
        (container(ports=(8000, 9000), published=(Published(9000, "0.0.0.0:8001"),)), 1, 9000),
        (container(ports=(9000,)), 1, 8080),
        (container(ports=()), 1, 8080),
    ],
    ids=["the only one", "one of two", "none", "published", "the proxy's", "only the proxy's"],
)
def test_port_of(first, proxies, port):
    text = "frontend inside\n  bind :17999\n  default_backend app_8080\n"
    client = Client(file(text.encode(), "haproxy.cfg"))
    assert containers.port_of(client, [first], [container("jobs-juno-edge-1")] * proxies) == port


@pytest.mark.parametrize(("port", "proxies", "scheme"), [(8080, 1, "uwsgi"), (9000, 1, "http"), (8080, 0, "http")])
def test_what_is_spoken_at_a_port(port, proxies, scheme):
    client = Client(file(b"backend app_8080\n  description uwsgi\n  mode tcp\n", "haproxy.cfg"))
    assert containers.scheme_of(client, [container("jobs-juno-edge-1")] * proxies, port) == scheme
    (endpoint,), _findings = containers.endpoints_of([container()], port, scheme)
    assert (endpoint.port, endpoint.scheme) == (port, scheme)


def test_endpoints_of():
    two = [container(), container("jobs-web-2", addresses=())]
    endpoints, findings = containers.endpoints_of(two, 8000)
    assert endpoints == [Endpoint("jobs-web-1", "172.18.0.2", 8000)]
    assert [(one.path, one.level) for one in findings] == [("The container jobs-web-2", "warning")]
    endpoints, findings = containers.endpoints_of(two, 0)
    assert endpoints == []
    assert [(one.path, one.level) for one in findings] == [("The containers of web", "warning")]


@pytest.mark.parametrize(
    ("client", "body"),
    [
        (Client(file(b"{}")), b"{}"),
        (Client(file(b"x" * 100_000)), b"x" * 100_000),
        (Client(file(b"", kind=tarfile.DIRTYPE), file(b"{}")), None),
        (Client(file(b"", kind=tarfile.SYMTYPE)), None),
        (Client(file(b"", kind=tarfile.FIFOTYPE)), None),
        (Client(file(b"{}"), size=containers.FILE_BYTES + 1), None),
        (Client(file(b"x" * (containers.FILE_BYTES + 100_000)), size=10), None),
        (Client(), None),
    ],
    ids=["file", "in pieces", "folder", "link", "pipe", "too large", "larger than said", "nothing"],
)
def test_read_file(client, body):
    assert containers.read_file(client, container(), "/code/a") == body


@pytest.mark.parametrize(
    ("path", "body", "asked", "names", "findings"),
    [
        ("static/m.json", b'{"paths": {"a.css": "a.0123456789ab.css"}}', "/code/static/m.json", 1, 0),
        ("/srv/staticfiles.json", b'{"paths": {}}', "/srv/staticfiles.json", 0, 0),
        ("/srv/staticfiles.json", b"[]", "/srv/staticfiles.json", None, 1),
    ],
)  # fmt: skip
def test_read_manifest(path, body, asked, names, findings):
    client = Client(file(body))
    manifest, problems = containers.read_manifest(client, container(), path)
    assert client.asked == [asked]
    assert (len(manifest.names) if manifest else None, len(problems)) == (names, findings)


@pytest.mark.parametrize(("outside", "port"), [(8001, 8000), (8443, 8443), (80, 8443), (0, 8443)])
def test_of_two_published_ports_the_one_that_the_site_is_asked_at(outside, port):
    published = (Published(8443, "0.0.0.0:8443"), Published(8000, "[::]:8001"))
    assert containers.port_of(None, [container(published=published)], [], outside) == port
