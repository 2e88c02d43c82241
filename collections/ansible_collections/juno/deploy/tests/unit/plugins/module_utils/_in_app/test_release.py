# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the in-app code finds in a small Django site, which it really loads, in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._build import throwaway, throwaway_job
from ansible_collections.juno.deploy.plugins.module_utils._database import applied as database_applied
from ansible_collections.juno.deploy.plugins.module_utils._django import collectstatic, runner
from ansible_collections.juno.deploy.plugins.module_utils._django.output import pass_on, split_results
from ansible_collections.juno.deploy.plugins.module_utils._in_app import databases

pytest.importorskip("django")

SETTINGS = """
import os
BASE = os.path.dirname(os.path.abspath(__file__))
SECRET_KEY = "for tests"
ALLOWED_HOSTS = ["*", ".example.org"]
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(BASE, "db.sqlite3")}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": BASE + "/cache"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "no_longer_there.application"
"""
URLS = """
from django.core.cache import cache
from django.http import HttpResponse
from django.urls import path
from shop.models import Thing

def home(request):
    cache.set("seen", 1)
    Thing.objects.create()
    return HttpResponse(request.get_host())

def broken(request):
    raise RuntimeError("broken on purpose")

def lock(request):
    return HttpResponse(cache.lock("x"))

urlpatterns = [path("", home), path("broken/", broken), path("lock/", lock)]
"""
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
HEAD = """
from django.db import migrations, models
def fine(apps, editor): pass
def boom(apps, editor): raise RuntimeError("broken on purpose")
class Migration(migrations.Migration):
"""
TABLE = 'migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))])'
REVERSIBLE = "migrations.RunPython(fine, migrations.RunPython.noop)"
STUCK = "migrations.SeparateDatabaseAndState(database_operations=[migrations.RunPython(fine)])"
BOOM = "migrations.RunPython(boom)"


def said_in(stdout):
    said = []
    events.set_sink(said.append)
    pass_on(stdout.splitlines(), "juno-t")
    events.set_sink(None)
    return said


class Site:
    """A checkout, the app's own directory beside it with the database, and the in-app code that looks at both."""

    def __init__(self, folder):
        self.checkout, self.app = folder / "checkout", folder / "app"
        (self.checkout / "shop" / "migrations").mkdir(parents=True)
        self.app.mkdir()
        for name, text in (("settings.py", SETTINGS), ("urls.py", URLS), ("manage.py", MANAGE)):
            (self.checkout / name).write_text(text)
        for name in ("shop/__init__.py", "shop/migrations/__init__.py"):
            (self.checkout / name).write_text("")
        (self.checkout / "shop/models.py").write_text("from django.db import models\nclass Thing(models.Model): pass\n")
        self.database = self.app / "db.sqlite3"
        self.said: list[str] = []
        self.count = 0
        self.add(TABLE)

    def add(self, operation):
        """Add a migration."""
        name = f"{self.count + 1:04}_it"
        after = f'[("shop", "{self.count:04}_it")]' if self.count else "[]"
        body = f"    dependencies = {after}\n    operations = [{operation}]\n"
        (self.checkout / "shop/migrations" / f"{name}.py").write_text(HEAD + body)
        self.count += 1

    def ask(self, mode="check", **request):
        """Run the in-app code."""
        mount = {"target": str(self.checkout), "kind": "checkout", "seen": str(self.app), "source": "/root/app"}
        job = {
            "token": "juno-t", "code": "1f5d0b1", "mode": mode, "check": [], "manage_py": "manage.py", "settings": None,
            "arguments": ["check"], "timeout_seconds": 60, "mounts": [mount], "copy_limit_bytes": 10**7,
            "copy_seconds": 5, "busy_seconds": 20, "readiness_path": "/", "headers": {}, "collect": False, "dry": False,
            "list_caches": False, "clears": None, "cache_version": "", "directory": "/root/app",
            **request,
        }  # fmt: skip
        modules = (*collectstatic.COLLECTORS, *throwaway_job.IN_APP_MODULES)
        argv = [sys.executable, "-c", runner.BOOT, runner.build_job(modules, job)]
        # As in an image, where "python" is the app's interpreter.
        environment = {**os.environ, "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}
        done = subprocess.run(
            argv, cwd=self.checkout, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        result = split_results(done.stdout, "juno-t")[1]
        assert "end" in result, done.stderr
        self.said = said_in(done.stdout)
        return result

    def rows(self, query):
        with sqlite3.connect(self.database) as connection:
            return [row[0] for row in connection.execute(query)]

    @property
    def applied(self):
        return self.rows("select name from django_migrations order by id")

    @property
    def digest(self):
        return hashlib.sha256(self.database.read_bytes()).hexdigest()


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


@pytest.fixture
def lived(site):
    """A site whose first migration is applied."""
    assert site.ask("migrate")["applied"]["rc"] == 0
    return site


def test_where_the_settings_find_the_apps_parts(lived):
    settings = lived.checkout / "settings.py"
    more = """
INSTALLED_APPS = ["shop", "django.contrib.staticfiles"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE + "/web/pages", "/etc/x"]}]
STATICFILES_DIRS = [BASE + "/web/public", ("img", BASE + "/pictures")]
LOCALE_PATHS = [BASE + "/words"]
STATIC_URL = "/static/"
"""
    settings.write_text(settings.read_text() + more)
    assert lived.ask()["layout"] == {
        "apps": ["shop"],
        "templates": ["web/pages"],
        "static": ["pictures", "web/public"],
        "locale": ["words"],
        "static_at": {},
    }
    # The compose file is in a folder above the mounted one; and without a mount the working directory counts.
    assert lived.ask(directory="/root")["layout"]["apps"] == ["app/shop"]
    assert lived.ask(mounts=[], readiness_path="")["layout"]["locale"] == ["words"]
    assert "layout" not in lived.ask(directory="")
    kept = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    more = f'STATIC_ROOT = BASE + "/out"\nSTORAGES = {{"staticfiles": {{"BACKEND": "{kept}"}}}}\n'
    settings.write_text(settings.read_text() + more)
    assert lived.ask()["layout"]["static_at"] == {"root": f"{lived.checkout}/out", "manifest": "staticfiles.json"}


#: A cache of django-redis whose client is told nothing but that its server is a node of a cluster.
NODE = """
class Client:
    __module__ = "redis.client"

    def info(self, section):
        return {"cluster_enabled": 1}

class RedisCache:
    __module__ = "django_redis.cache"

    def __init__(self, location, params):
        self.client = self

    def get_client(self, write):
        return Client()
"""


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"clears": []}, True),
        ({"clears": ["default"]}, True),
        ({"clears": ["other"]}, False),
        # It has a version of its own, or is cleared in another way.
        ({"clears": [], "cache_version": "7"}, False),
        ({"clears": None}, False),
    ],
)
def test_a_cache_that_a_clear_would_not_reach_is_told_before_anything_is_changed(assets, asked, refused):
    pytest.importorskip("redis")
    (assets.checkout / "node.py").write_text(NODE)
    settings = assets.checkout / "settings.py"
    conf = {"BACKEND": "node.RedisCache", "LOCATION": "redis://:s3cret@redis/1", "VERSION": 7}
    settings.write_text(f"{settings.read_text()}\nCACHES = {{'default': {conf}}}\n")
    result = assets.ask(collect=True, collect_seconds=60, **asked)
    assert ("failure:caches" in result, "static" in result) == (refused, not refused)
    if refused:
        assert result["failure:caches"]["what"] == "default"
        assert result["failure:caches"]["cause"].startswith("it is a node of a Redis Cluster")


#: A storage that is no folder, and one as django-storages has it. Neither may be made before it collects.
STORAGES = """
from django.core.files.storage import FileSystemStorage, Storage

class S3Storage(Storage):
    def __init__(self, **options):
        self.inner = FileSystemStorage(options["folder"])
        self.exists, self._open, self._save = self.inner.exists, self.inner._open, self.inner._save
        self.delete, self.listdir = self.inner.delete, self.inner.listdir

S3Storage.__module__ = "storages.backends.s3"

class Own(S3Storage):
    pass
"""


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ('"bucket_name": "shop", "secret_key": "s3cret"', "the bucket 'shop' (files.Own)"),
        ("", "files.Own"),
    ],
)
def test_a_storage_that_is_no_folder_is_collected_into_whatever_the_static_root(assets, options, place):
    (assets.checkout / "files.py").write_text(STORAGES)
    settings = assets.checkout / "settings.py"
    kept = f'{{"BACKEND": "files.Own", "OPTIONS": {{"folder": BASE + "/bucket", {options}}}}}'
    settings.write_text(f'{settings.read_text()}\nSTORAGES = {{"staticfiles": {kept}}}\n')
    assert assets.ask()["layout"]["static_at"] == {"place": place}
    # Without a mount the static root is in the image.
    static = assets.ask(collect=True, collect_seconds=60, mounts=[], readiness_path="")["static"]
    assert (static["added"], static["replaced"], static["why"]) == (1, 0, "")
    assert (assets.checkout / "bucket/a.css").read_text() == "a{}"
    assert not (assets.checkout / "staticfiles").exists()


def test_the_version_in_the_keys_is_told_and_nothing_is_cached(lived):
    settings = lived.checkout / "settings.py"
    settings.write_text(settings.read_text() + "CACHES['default']['VERSION'] = int(os.environ.get('HOME_NUMBER', 5))\n")
    result = lived.ask(list_caches=True)
    assert result["caches"]["caches"] == [{"alias": "default", "version": "5", "family": "filebased"}]
    assert result["requested"]["status"] == 200
    assert not list(lived.checkout.glob("cache/*"))


def test_a_migration_is_tried_on_a_copy_and_a_page_leaves_no_trace(lived):
    lived.add(REVERSIBLE)
    lived.add(STUCK)
    digest = lived.digest
    result = lived.ask(check=[sys.executable, "manage.py", "check"])
    assert result["check"]["rc"] == result["looked"]["rc"] == 0
    assert [(one["name"], one["reversible"]) for one in result["migrations"]["pending"]] == [
        ("0002_it", True),
        ("0003_it", False),
    ]
    assert result["migrations"]["applied"] == ["shop.0001_it"]
    assert result["migrations"]["tried"]
    assert result["migrations"]["databases"][0]["host_path"] == "/root/app/db.sqlite3"
    assert result["requested"] == {"path": "/", "status": 200, "why": ""}
    assert lived.digest == digest
    assert not list(lived.checkout.glob("cache/*"))


def test_without_a_database_all_migrations_are_tried(site):
    result = site.ask()
    assert result["migrations"]["tried"]
    assert result["requested"]["status"] == 200
    assert not site.database.exists()


def test_rows_that_are_only_in_the_wal_are_copied(lived):
    connection = sqlite3.connect(lived.database)
    connection.execute("pragma journal_mode=wal")
    connection.execute("insert into django_migrations (app, name, applied) values ('shop', '0002_it', '2026-01-01')")
    connection.commit()
    lived.add(REVERSIBLE)
    assert lived.ask()["migrations"]["pending"] == []
    connection.close()


def test_a_migration_that_fails_is_named_and_the_database_is_as_it_was(lived):
    lived.add(REVERSIBLE)
    lived.add(BOOM)
    digest = lived.digest
    result = lived.ask()
    assert result["failure:migration"] == {"what": "shop.0003_it", "cause": "RuntimeError: broken on purpose"}
    assert "requested" not in result
    assert lived.digest == digest


def test_a_large_database_is_listed_only(lived):
    lived.add(REVERSIBLE)
    digest = lived.digest
    result = lived.ask(copy_limit_bytes=1000)
    assert (len(result["migrations"]["pending"]), result["migrations"]["tried"]) == (1, False)
    assert "larger" in result["migrations"]["why"]
    assert result["requested"]["status"] == 0
    assert lived.digest == digest


@pytest.mark.parametrize(
    ("path", "failure"),
    [
        ("/broken/", {"what": "GET /broken/ with 500", "cause": "RuntimeError: broken on purpose"}),
        ("/nosuch/", None),
        ("/lock/", None),
        ("", None),
    ],
)
def test_pages(lived, path, failure):
    result = lived.ask(readiness_path=path)
    assert result.get("failure:request") == failure
    if path == "/lock/":
        assert result["requested"]["why"] == "it needs what only its own cache can do"
    if not path:
        assert "requested" not in result


@pytest.mark.parametrize(("more_headers", "failure"), [(False, "wanted: 200, by 'pages'"), (True, "")])
def test_a_page_that_may_want_a_header_which_is_not_sent(lived, more_headers, failure):
    result = lived.ask(readiness_path="/", pages=[{"path": "/nosuch/"}], more_headers=more_headers)
    assert result.get("failure:request", {}).get("cause", "") == failure
    # Only its status hangs on that.
    result = lived.ask(readiness_path="/", pages=[{"path": "/", "contains": ["nowhere"]}], more_headers=more_headers)
    assert result["failure:request"]["cause"] == "does not contain 'nowhere'"


ASGI = """
from django.core.asgi import get_asgi_application
pages = get_asgi_application()
async def application(scope, receive, send):
    if scope["path"] != "/never/":
        return await pages(scope, receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
"""


@pytest.mark.parametrize(
    ("path", "status", "failure"),
    [
        ("/", 200, None),
        ("/?q=%C3%A9", 200, None),
        ("/nosuch/", 404, None),
        ("/never/", 200, None),
        ("/broken/", 0, {"what": "GET /broken/ with 500", "cause": "RuntimeError: broken on purpose"}),
    ],
)
def test_a_site_that_has_only_an_asgi_application_is_asked_by_it(lived, path, status, failure):
    settings, urls = lived.checkout / "settings.py", lived.checkout / "urls.py"
    settings.write_text(settings.read_text().replace("WSGI_", "ASGI_").replace("no_longer_there", "asgi"))
    urls.write_text(urls.read_text().replace("(request.get_host())", "(request.scope['path'])"))
    (lived.checkout / "asgi.py").write_text(ASGI)
    digest = lived.digest
    result = lived.ask(readiness_path=path, pages=[] if failure else [{"path": path, "status": status}])
    assert result.get("failure:request") == failure
    assert failure or result["requested"]["status"] == status
    # What a page writes goes into the copy.
    assert lived.digest == digest


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("urls.py", "raise RuntimeError('broken on purpose')", "failure:request"),
        ("settings.py", "raise RuntimeError('broken on purpose')", "failure:start"),
        ("shop/models.py", "raise RuntimeError('broken on purpose')", "failure:start"),
        ("manage.py", "raise RuntimeError('broken on purpose')", "not_looked"),
    ],
)
def test_code_that_cannot_start(lived, name, text, key):
    (lived.checkout / name).write_text(text)
    result = lived.ask()
    assert "broken on purpose" in result[key]["cause"]


def test_an_app_without_settings_is_only_checked(site):
    (site.checkout / "manage.py").unlink()
    result = site.ask(check=[sys.executable, "-c", "print(42)"])
    assert result["check"]["stdout"] == "42\n"
    assert "settings" in result["not_looked"]["cause"]
    assert "migrations" not in result


def test_a_check_that_never_ends(lived):
    result = lived.ask(check=[sys.executable, "-c", "import threading; threading.Event().wait(60)"], timeout_seconds=2)
    assert result["check"]["rc"] == throwaway.ALARM


#: Another one of these two is run as a program, in its own way.
NAMES = ["python", sys.executable]


@pytest.mark.parametrize("python", NAMES)
@pytest.mark.parametrize(
    ("manage", "rc", "out", "err"),
    [
        pytest.param("print('fine')", 0, "fine\n", "", id="fine"),
        pytest.param("import sys; print(sys.argv[1:], __name__); sys.exit()", 0, "['check'] __main__\n", "", id="args"),
        pytest.param("import sys; sys.exit(3)", 3, "", "", id="code"),
        pytest.param("import sys; sys.exit('no such thing')", 1, "", "no such thing\n", id="words"),
        pytest.param("print(input())", 1, "", "EOFError: EOF when reading a line\n", id="input"),
        pytest.param("import os; os.kill(os.getpid(), 9)", -9, "", "", id="killed"),
        pytest.param("import nosuch", 1, "", "ModuleNotFoundError: No module named 'nosuch'\n", id="import"),
        pytest.param("a b", 1, "", "SyntaxError: invalid syntax\n", id="syntax"),
        pytest.param("import threading; threading.Event().wait(60)", throwaway.ALARM, "", "", id="never ends"),
    ],
)
def test_a_manage_py_ends_in_a_fork_as_it_does_by_itself(lived, python, manage, rc, out, err):
    (lived.checkout / "manage.py").write_text(manage)
    result = lived.ask(check=[python, "manage.py", "check"], timeout_seconds=2, readiness_path="")["check"]
    assert (result["rc"], result["stdout"]) == (rc, out)
    assert result["stderr"].endswith(err)
    assert "_in_app" not in result["stderr"]
    assert "runpy" not in result["stderr"]


@pytest.mark.parametrize(("python", "loaded"), [*zip(NAMES, [True, False], strict=True)])
def test_a_manage_py_finds_django_loaded(lived, python, loaded):
    manage = lived.checkout / "manage.py"
    manage.write_text("import sys; print('django.db.models' in sys.modules, 'settings' in sys.modules)\n" + MANAGE)
    result = lived.ask(check=[python, "manage.py", "check"])
    assert result["check"]["stdout"].startswith(f"{loaded} False\n")
    assert "no issues" in result["check"]["stdout"]
    assert result["requested"]["status"] == 200


def test_a_page_that_never_ends(lived):
    urls = lived.checkout / "urls.py"
    urls.write_text(urls.read_text().replace("    Thing.", "    import threading; threading.Event().wait(60); Thing."))
    assert lived.ask(timeout_seconds=2)["looked"]["rc"] == throwaway.ALARM


def test_migrate(lived):
    lived.add(REVERSIBLE)
    result = lived.ask("migrate")
    assert [one["name"] for one in result["applied"]["applied"]] == ["0002_it"]
    assert result["applied"]["before"] == {"shop": "0001_it"}
    assert lived.applied == ["0001_it", "0002_it"]
    assert lived.ask("migrate")["applied"] == {"rc": 0, "applied": [], "before": {}, "elsewhere": [], "begun": []}


SLOW = "migrations.RunPython(lambda apps, editor: __import__('time').sleep(1), fine)"


def test_what_is_being_done_is_said(lived):
    lived.add(REVERSIBLE)
    result = lived.ask(check=["python", "manage.py", "check"])
    assert result["check"]["rc"] == 0
    assert lived.said == [
        f"copies the database {lived.checkout}/db.sqlite3 for 1f5d0b1 to try",
        "loads 1f5d0b1 in a container that nobody visits",
        "looks which migrations are pending",
        "tries shop.0002_it on a copy of the database",
        "asks 1f5d0b1 for /",
        "waits for python manage.py check of 1f5d0b1",
    ]
    # Those that are quick are not said one by one.
    lived.add(SLOW)
    lived.add(COLUMN)
    lived.ask("migrate")
    assert lived.said == [
        "connects to the database",
        "applies 3 migrations",
        "applies shop.0003_it",
        "shop.0003_it is applied",
    ]


@pytest.mark.parametrize(
    ("operations", "standing", "back"),
    [
        ([REVERSIBLE, BOOM], ["0001_it"], {"shop": "0001_it"}),
        ([BOOM], ["0001_it"], {}),
        ([REVERSIBLE, STUCK, REVERSIBLE, BOOM], ["0001_it", "0002_it", "0003_it"], {"shop": "0003_it"}),
    ],
)
def test_what_this_run_applied_is_reversed_as_far_as_it_can_be(lived, operations, standing, back):
    for operation in operations:
        lived.add(operation)
    result = lived.ask("migrate")
    assert result["failure:migration"]["cause"] == "RuntimeError: broken on purpose"
    assert result["applied"]["begun"][0]["name"] == f"{len(operations) + 1:04}_it"
    assert result["undone"] == {"rc": 0, "to": back}
    assert lived.applied == standing


COLUMN = 'migrations.AddField("Thing", "x", models.IntegerField(null=True))'
DROP = 'migrations.RemoveField("Thing", "x")'
LOSSY = "migrations.RunPython(fine, fine)"


def migrate_noted(site, **request):
    """Migrate with a file for the notes, and return what a host would read of it."""
    path = site.app / "notes.jsonl"
    path.write_text("")
    result = site.ask("migrate", notes=str(path), **request)
    return result, database_applied.parse(path.read_text())


def undone(site, record, **request):
    result = site.ask("undo", own=list(record.begun), found=record.found, **{"dry": False, **request})
    assert result["reversed"]["rc"] == 0
    names = ([one["name"] for one in result[what]["migrations"]] for what in ("standing", "undone_migrations"))
    return tuple(names)


def test_what_a_run_applied_is_noted_and_only_that_is_reversed(lived):
    lived.add(COLUMN)
    lived.add(REVERSIBLE)
    _told, record = migrate_noted(lived)
    assert [one["name"] for one in record.done] == ["0002_it", "0003_it"]
    assert (record.found["applied"], record.found["before"]) == (["shop.0001_it"], {"shop": "0001_it"})
    assert undone(lived, record, dry=True) == (["0002_it", "0003_it"], [])
    assert undone(lived, record) == (["0002_it", "0003_it"], ["0003_it", "0002_it"])
    assert lived.applied == ["0001_it"]
    # Somebody else has applied them since.
    lived.ask("migrate")
    assert undone(lived, record) == ([], [])
    assert lived.applied == ["0001_it", "0002_it", "0003_it"]


def test_what_another_host_applied_is_told_and_none_of_our_own(lived):
    lived.add(COLUMN)
    lived.ask("migrate")
    result, record = migrate_noted(lived, expected=["shop.0002_it", "shop.0003_it"])
    assert (result["applied"]["elsewhere"], result["applied"]["applied"]) == (["shop.0002_it"], [])
    assert record.begun == ()


def test_what_loses_data_stands(lived):
    lived.add(COLUMN)
    lived.ask("migrate")
    lived.add(DROP)
    lived.add(REVERSIBLE)
    _told, record = migrate_noted(lived)
    assert record.begun[0]["lossy"] == ["RemoveField shop.Thing.x"]
    assert undone(lived, record) == (["0003_it", "0004_it"], ["0004_it"])
    assert lived.applied == ["0001_it", "0002_it", "0003_it"]


def test_a_file_that_was_empty_is_emptied_again(site):
    site.add(LOSSY)
    _told, record = migrate_noted(site)
    assert undone(site, record) == (["0001_it", "0002_it"], ["0002_it", "0001_it"])
    assert site.applied == []


def digest_of(site):
    with sqlite3.connect(site.database) as connection:
        return databases.content(connection)


def test_what_a_file_holds_after_a_loss_is_noted_where_its_copy_was_the_same(lived):
    lived.add(LOSSY)
    _told, record = migrate_noted(lived, copy_digest="of another one")
    assert record.content == ""
    lived.add(LOSSY)
    _told, record = migrate_noted(lived, copy_digest=digest_of(lived))
    assert record.content == digest_of(lived)


def test_what_failed_after_a_loss_is_left_for_the_copy(lived):
    lived.add(LOSSY)
    lived.add(REVERSIBLE)
    lived.add(BOOM)
    result, record = migrate_noted(lived, copy_digest=digest_of(lived))
    assert (result["undone"]["to"], record.content) == ({}, digest_of(lived))
    assert lived.applied == ["0001_it", "0002_it", "0003_it"]


MAKES = "migrations.RunSQL('CREATE TABLE more (x integer)', 'DROP TABLE more'), "
#: Fails as PostgreSQL does for a lock, as often as the file has letters.
LOCKED = """
class LockError(Exception):
    sqlstate = "55P03"
def locked(apps, editor):
    with open("waits", "r+") as file:
        left = file.read()
        file.seek(0)
        file.truncate()
        file.write(left[1:])
    if left:
        raise LockError("canceling statement due to lock timeout")
"""


@pytest.mark.parametrize(
    ("waits", "atomic", "first", "failure"),
    [
        ("", "True", "", None),
        ("xx", "True", MAKES, None),
        (
            "x" * 9,
            "True",
            "",
            "lock timeout, tried 6 times; the lock is held by one that was gone when it was looked for",
        ),
        # Nothing was done yet.
        ("x", "False", "", None),
        ("x", "False", "migrations.RunSQL('SELECT 1', ''), ", None),
        ("x", "False", MAKES, "lock timeout, tried 1 times; the lock"),
    ],
)
def test_one_that_waits_for_a_lock_is_tried_again(lived, waits, atomic, first, failure):
    lived.add(f"{first}migrations.RunPython(locked, migrations.RunPython.noop)")
    path = lived.checkout / "shop/migrations/0002_it.py"
    path.write_text(LOCKED + path.read_text() + f"    atomic = {atomic}\n")
    (lived.checkout / "waits").write_text(waits)
    result, record = migrate_noted(lived, pause_seconds=0.01)
    assert [one["name"] for one in result["applied"]["applied"]] == ([] if failure else ["0002_it"])
    assert len(record.begun) == 1
    assert (failure or "") in result.get("failure:migration", {"cause": ""})["cause"]
    if failure:
        assert [one["touched"] for one in result["applied"]["begun"]] == [bool(first)]
    else:
        # What SQL of one's own does and takes back is not known.
        assert undone(lived, record) == (["0002_it"], [] if first == MAKES else ["0002_it"])


def test_whether_code_can_read_the_database(lived):
    assert lived.ask("fits", apps=["shop"])["unread"] == {"models": []}
    models = lived.checkout / "shop/models.py"
    models.write_text(models.read_text().replace("pass", "x = models.IntegerField()"))
    assert lived.ask("fits", apps=["shop"])["unread"] == {"models": ["shop.Thing: no such column: shop_thing.x"]}
    assert lived.ask("fits", apps=["blog"])["unread"] == {"models": []}


def test_reverse(lived):
    lived.add(REVERSIBLE)
    lived.ask("migrate")
    planned = lived.ask("reverse", to={"shop": "0001_it"}, dry=True)
    assert [one["name"] for one in planned["undone_migrations"]["migrations"]] == ["0002_it"]
    assert lived.applied == ["0001_it", "0002_it"]
    lived.ask("reverse", to={"shop": "0001_it"})
    assert lived.applied == ["0001_it"]
    lived.ask("reverse", to={"shop": ""})
    assert lived.applied == []


@pytest.mark.parametrize(
    ("to", "what", "cause"),
    [
        ({"shop": "0001_it"}, "shop.0002_it", "irreversible"),
        ({"shop": "0009_it"}, "shop.0009_it", "doesn't have it"),
        ({"blog": ""}, "blog", "doesn't have it"),
        ({"shop": "0004_it"}, "shop.0004_it", "would apply"),
    ],
)
def test_what_cannot_be_reversed_is_named_and_nothing_is(lived, to, what, cause):
    lived.add(STUCK)
    lived.add(REVERSIBLE)
    lived.ask("migrate")
    lived.add(REVERSIBLE)
    failure = lived.ask("reverse", to=to)["failure:reverse"]
    assert failure["what"] == what
    assert cause in failure["cause"]
    assert lived.applied == ["0001_it", "0002_it", "0003_it"]


@pytest.fixture
def assets(lived):
    """A site with one static file to collect."""
    extra = """
    INSTALLED_APPS.append("django.contrib.staticfiles")
    STATIC_URL = "/static/"
    STATIC_ROOT = os.path.join(BASE, "staticfiles")
    STATICFILES_DIRS = [os.path.join(BASE, "assets")]
    """
    settings = lived.checkout / "settings.py"
    settings.write_text(settings.read_text() + textwrap.dedent(extra))
    (lived.checkout / "assets").mkdir()
    (lived.checkout / "assets/a.css").write_text("a{}")
    return lived


def test_collect_goes_to_the_root_that_serves_once_all_is_right(assets):
    assert "static" not in assets.ask(collect=True, collect_seconds=60, readiness_path="/broken/")
    assert "static" not in assets.ask(collect=True, collect_seconds=60, check=["false"])
    assert not (assets.app / "staticfiles").exists()
    result = assets.ask(collect=True, collect_seconds=60)
    assert result["static"]["added"] == 1
    assert (assets.app / "staticfiles/a.css").read_text() == "a{}"
    assert json.dumps(result["collected"]) == '{"rc": 0}'


#: Waits until two have loaded the app's settings: the child that looks, and the one that collects.
TWO_LOADED = """
import os, sys, time
while not os.path.exists("loaded") or len(open("loaded").read()) < 2: time.sleep(0.02)
"""


@pytest.mark.parametrize(("rc", "collected"), [(0, {"rc": 0}), (3, None)])
def test_the_child_that_collects_gets_ready_during_the_check_and_waits_for_its_end(assets, rc, collected):
    settings = assets.checkout / "settings.py"
    note = "\nimport sys\nopen('loaded', 'a').write('ny'['django.db.migrations.executor' in sys.modules])\n"
    settings.write_text(settings.read_text() + note)
    result = assets.ask(collect=True, collect_seconds=60, check=[sys.executable, "-c", f"{TWO_LOADED}sys.exit({rc})"])
    # Both had Django from their parent.
    assert (assets.checkout / "loaded").read_text() == "yy"
    assert (result["check"]["rc"], result.get("collected")) == (rc, collected)
    assert ("static" in result, (assets.app / "staticfiles").exists()) == (not rc, not rc)


@pytest.mark.parametrize("rc", [0, 3])
def test_a_root_in_the_image_is_told_once_the_check_went_well(assets, rc):
    check = [sys.executable, "-c", f"import time; time.sleep(1); raise SystemExit({rc})"]
    result = assets.ask(collect=True, collect_seconds=60, check=check, mounts=[], readiness_path="")
    why = f"{assets.checkout}/staticfiles is in the image, not in a volume"
    assert result.get("static") == (None if rc else {"why": why})


def test_an_app_that_no_longer_loads_when_it_is_to_collect(assets):
    models = assets.checkout / "shop/models.py"
    models.write_text(models.read_text() + "import os\nif os.path.exists('seen'): raise RuntimeError('on purpose')\n")
    urls = assets.checkout / "urls.py"
    urls.write_text(urls.read_text() + "open('seen', 'w').close()\n")
    result = assets.ask(collect=True, collect_seconds=60, check=[sys.executable, "-c", "print(42)"])
    assert (result["collected"], result["check"]["stdout"]) == ({"rc": 1}, "42\n")
    assert result["failure:start"]["cause"] == "RuntimeError: on purpose"


def test_without_django_the_check_is_made_and_nothing_is_collected(assets):
    (assets.checkout / "django.py").write_text("raise ImportError('none here')")
    result = assets.ask(collect=True, collect_seconds=60, check=[sys.executable, "-c", "print(42)"])
    assert result["no_django"]["cause"] == "none here"
    assert result["check"]["stdout"] == "42\n"
    assert result["looked"] == {"rc": 96}
    assert "collected" not in result
