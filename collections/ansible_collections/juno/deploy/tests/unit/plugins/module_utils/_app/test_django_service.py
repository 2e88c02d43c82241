# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which service of a project runs Django, and what is said where the one that is set is not there."""

from __future__ import annotations

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._app import django_service, front_proxy
from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import BadInputError


def port(published, target=80):
    return {"published": str(published), "target": target, "protocol": "tcp", "mode": "ingress"}


@pytest.fixture
def site(tmp_path):
    """Return the directory of a site, with all that the services below name."""
    (tmp_path / "manage.py").write_text("")
    (tmp_path / "Dockerfile").write_text('FROM python\nCOPY . .\nCMD ["gunicorn", "demo.wsgi"]\n')
    (tmp_path / "plain.Dockerfile").write_text("FROM python\nCOPY . .\n")
    (tmp_path / "entry.Dockerfile").write_text('FROM python\nCOPY . .\nENTRYPOINT ["./entrypoint.sh"]\n')
    (tmp_path / "entrypoint.sh").write_text('[ "$1" ] && exec "$@"\nexec gunicorn demo.wsgi\n')
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "Dockerfile").write_text("FROM python\nCMD uvicorn main:app\n")
    return tmp_path


def build(site, dockerfile="plain.Dockerfile", folder="", **more):
    return {"build": {"context": f"{site}{folder}", "dockerfile": dockerfile}, **more}


def found(site, services, images=None):
    config = {"name": "demo", "services": services}
    return django_service.choose(django_service.candidates(config, str(site), images), config, str(site))


GUNICORN = ["gunicorn", "demo.wsgi"]
ONCE = {"depends_on": {"migrate": {"condition": "service_completed_successfully"}}}


@pytest.mark.parametrize(
    ("services", "chosen"),
    [
        # By its command, in whatever words.
        ({"app": {"command": GUNICORN}, "db": {"image": "postgres:17"}}, ["app: runs gunicorn"]),
        ({"app": {"command": ["sh", "-c", "python manage.py migrate && uvicorn demo.asgi"]}}, ["app: runs uvicorn"]),
        ({"app": {"command": ["python", "-m", "daphne", "demo.asgi:application"]}}, ["app: runs daphne"]),
        ({"app": {"command": ["/venv/bin/hypercorn", "demo.asgi"]}}, ["app: runs hypercorn"]),
        ({"app": {"command": ["granian", "--interface", "wsgi", "demo.wsgi"]}}, ["app: runs granian"]),
        ({"app": {"command": ["uwsgi", "--ini", "uwsgi.ini"]}}, ["app: runs uwsgi"]),
        ({"app": {"command": ["python", "manage.py", "runserver", "0.0.0.0:8000"]}}, ["app: runs runserver"]),
        ({"app": {"command": ["gunicorn", "-k", "uvicorn.workers.UvicornWorker", "a.asgi"]}}, ["app: runs gunicorn"]),
        # By its Dockerfile, or a script that it starts.
        ({"app": ("Dockerfile",)}, ["app: runs gunicorn"]),
        ({"app": ("entry.Dockerfile",)}, ["app: runs gunicorn"]),
        # By where it is built from alone.
        ({"app": ("plain.Dockerfile",), "cache": {"image": "redis"}}, ["app: has manage.py"]),
        # What runs the code beside the site.
        (
            {
                "app": ("Dockerfile",),
                "worker": ("Dockerfile", {"command": ["celery", "-A", "demo", "worker"]}),
                "beat": ("entry.Dockerfile", {"command": ["celery", "-A", "demo", "beat"]}),
                "q": ("entry.Dockerfile", {"command": ["python", "manage.py", "qcluster"]}),
            },
            ["app: runs gunicorn"],
        ),
        # What runs once with each release, whatever its image would start.
        ({"migrate": ("Dockerfile",), "app": ("Dockerfile", ONCE)}, ["app: runs gunicorn"]),
        (
            {"app": ("Dockerfile",), "mail": ("entry.Dockerfile", {"command": ["python", "manage.py", "mail"]})},
            ["app: runs gunicorn"],
        ),
        # A server of something else is built from a folder without manage.py.
        ({"api": ("Dockerfile", "/api"), "app": ("Dockerfile",)}, ["app: runs gunicorn"]),
        # Of two that are alike the one that visitors reach.
        ({"app": ("Dockerfile",), "admin": ("Dockerfile", {"ports": [port(8001)]})}, ["admin: runs gunicorn"]),
        (
            {
                "app": ("Dockerfile", {"ports": [port(8001)]}),
                "site": ("Dockerfile",),
                "front": {"image": "nginx", "environment": {"UPSTREAM": "site:8000"}, "ports": [port(80)]},
            },
            ["site: runs gunicorn"],
        ),
        # A person has to choose.
        (
            {"app": ("Dockerfile", {"ports": [port(1)]}), "ws": {"command": "daphne a.asgi", "ports": [port(2)]}},
            ["app: runs gunicorn"],
        ),
        (
            {
                "app": ("Dockerfile", {"ports": [port(1)]}),
                "ws": ("Dockerfile", {"command": ["daphne", "a.asgi"], "ports": [port(2)]}),
            },
            ["app: runs gunicorn", "ws: runs daphne"],
        ),
        ({"app": ("Dockerfile",), "other": ("Dockerfile",)}, ["app: runs gunicorn", "other: runs gunicorn"]),
        # None looks like it: proxies, databases and workers don't.
        ({"front": {"image": "nginx"}, "db": {"image": "postgres"}, "w": {"command": "celery worker"}}, []),
        ({}, []),
    ],
)
def test_which_one_runs_django(site, services, chosen):
    def service(said):
        if isinstance(said, dict):
            return said
        more = said[1] if len(said) > 1 else {}
        return build(site, said[0], more) if isinstance(more, str) else build(site, said[0], **more)

    assert [f"{one.name}: {one.why}" for one in found(site, {k: service(v) for k, v in services.items()})] == chosen


def test_an_image_from_elsewhere_tells_by_the_engine(site):
    services = {"app": {"image": "registry/site:1"}, "db": {"image": "postgres"}}
    assert found(site, services) == []
    chosen = found(site, services, {"app": "/entrypoint gunicorn demo.wsgi", "db": "postgres"})
    assert chosen == [django_service.Candidate("app", "gunicorn", "its image", False)]


def test_code_that_is_mounted(site):
    (site / "src").mkdir()
    (site / "manage.py").rename(site / "src" / "manage.py")
    mount = {"type": "bind", "source": f"{site}/src", "target": "/code"}
    assert found(site, {"app": {"image": "python", "volumes": [mount]}})[0].code
    assert found(site, {"app": build(site)})[0].why == "has manage.py"


@pytest.mark.parametrize(
    ("services", "says"),
    [
        (
            {"app": {"command": GUNICORN}, "db": {}},
            r"'web'; it has: app, db\. 'app' runs gunicorn: set 'service' to app\.",
        ),
        (
            {"a": {"command": GUNICORN}, "b": {"command": "daphne x"}},
            r"'a' runs gunicorn and 'b' runs daphne: set 'service' to the one with the site\.",
        ),
        ({"db": {}}, r"it has: db\. Set 'service' to the one that runs Django\."),
    ],
)
def test_a_missing_service_is_told_with_the_one_that_looks_like_it(site, services, says):
    app = App(str(site), "demo", "web", (), (), "", "/state")
    with pytest.raises(BadInputError, match=says):
        django_service.require({"services": services}, app, "/srv/demo")
    assert django_service.require({"services": {"web": {"image": "a"}}}, app, "/srv/demo") == {"image": "a"}


@pytest.mark.parametrize(
    ("service", "front", "number"),
    [
        ({"ports": [port(80, 8000)]}, front_proxy.NONE, 8000),
        ({"ports": [port(80, 8000)]}, front_proxy.FrontProxy(("nginx",), ports=(9000,)), 9000),
        ({"expose": ["8000"]}, front_proxy.NONE, 8000),
        ({"command": ["gunicorn", "-b", ":8000", "a"]}, front_proxy.NONE, 8000),
        ({}, front_proxy.NONE, 0),
    ],
)
def test_the_port_in_its_containers(service, front, number):
    assert django_service.port_of({"services": {"web": service}}, "web", front) == number
