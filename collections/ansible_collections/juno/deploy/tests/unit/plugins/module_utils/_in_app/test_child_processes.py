# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in-app modules do with their children, in processes of their own: they fork, and a test runner has threads."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import textwrap

import pytest
from ansible_collections.juno.deploy.plugins.module_utils._django import runner
from ansible_collections.juno.deploy.plugins.module_utils._in_app import child_processes, manage

MODULE = child_processes.__name__
#: A child that has a second for itself, with what it does once it is let; one that is C(early) ends before.
CHILD = """
def work(request, stand):
    signal.alarm(1)
    if request.get("early"):
        raise SystemExit(7)
    stand()
    print("alarm", signal.alarm(0))
    open("done", "w").close()
waiting = module.Waiting(work, request)
"""


def run(lines, folder, **environ):
    """Run lines of Python in a process with in-app code, and return the words that they print."""
    body = f"import os, signal, sys, time\ndef main(request):\n module = sys.modules[{MODULE!r}]\n"
    modules = [(one.__name__, inspect.getsource(one)) for one in (manage, child_processes)]
    modules.append(("test", body + textwrap.indent(textwrap.dedent(lines), " ")))
    job = runner.pack(modules, {"token": "juno-t", "manage_py": "manage.py"})
    argv = [sys.executable, "-c", runner.BOOT, job]
    # What is printed stays in a buffer unless it is flushed, as it does in most containers.
    env = {**os.environ, "PYTHONUNBUFFERED": "", **environ}
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_child_waits_until_it_is_let_and_that_time_is_not_its_own(tmp_path):
    result = run(
        CHILD + "time.sleep(1.3); print(os.path.exists('done'), flush=True); print(waiting.end(True))", tmp_path
    )
    assert result == ["False", "alarm", "1", "0"]
    assert (tmp_path / "done").exists()


def test_a_child_that_is_not_let_ends_at_once(tmp_path):
    assert run(CHILD + "print(waiting.end(False))", tmp_path) == ["None"]
    assert not (tmp_path / "done").exists()


def test_a_child_whose_parent_ends_does_not_go_on(tmp_path):
    # The run is over when nobody holds its output any more: the child too has ended then.
    assert run(CHILD + "module.leave(0)", tmp_path) == []
    assert not (tmp_path / "done").exists()


def test_a_child_that_ended_before_it_was_let(tmp_path):
    ended = "os.waitid(os.P_PID, waiting.pid, os.WEXITED | os.WNOWAIT); print(waiting.end(True))"
    assert run("request['early'] = True" + CHILD + ended, tmp_path) == ["7"]


def test_django_is_loaded_once_and_nothing_of_the_app(tmp_path):
    pytest.importorskip("django")
    (tmp_path / "settings.py").write_text("raise SystemExit('the app was loaded')")
    lines = """
    module.preload(request)
    from django.apps import apps
    from django.conf import settings
    print(*(name in sys.modules for name in module.FRAMEWORK))
    print(settings.configured, apps.ready, os.environ["DJANGO_SETTINGS_MODULE"])
    # Some settings put another one in its place, which works only before anybody loads it.
    print("sqlite3" in sys.modules)
    """
    result = run(lines, tmp_path, DJANGO_SETTINGS_MODULE="settings")
    assert result == ["True"] * len(child_processes.FRAMEWORK) + ["False", "False", "settings", "False"]


def package(folder, **modules):
    """Make a small Django beside manage.py, as an app that brings its own has it."""
    texts = {"exceptions": "class ImproperlyConfigured(Exception): pass", **modules}
    (folder / "django/core").mkdir(parents=True)
    (folder / "django/__init__.py").write_text("")
    (folder / "django/core/__init__.py").write_text("")
    for name, text in texts.items():
        (folder / f"django/core/{name}.py").write_text(text)


def test_a_warning_does_not_stop_the_loading(tmp_path):
    package(tmp_path, management="import warnings; warnings.warn('old', DeprecationWarning)")
    lines = "module.preload(request); print('django.core.management' in sys.modules)"
    assert run(lines, tmp_path, PYTHONWARNINGS="error") == ["True"]


#: A module that asks for settings when it is loaded.
ASKS = """
import os
from django.core.exceptions import ImproperlyConfigured
print(os.environ.get("DJANGO_SETTINGS_MODULE"))
raise ImproperlyConfigured
"""


@pytest.mark.parametrize(("text", "asked"), [("import no_such_module", []), (ASKS, ["None"])])
def test_what_this_django_cannot_load_is_passed_over(tmp_path, text, asked):
    (tmp_path / "app").mkdir()
    package(tmp_path / "app", management=text)
    (tmp_path / "app/django/db").mkdir()
    (tmp_path / "app/django/db/__init__.py").write_text("")
    (tmp_path / "app/django/db/models.py").write_text("print(__file__)")
    lines = "request['manage_py'] = 'app/manage.py'; module.preload(request)"
    result = run(lines, tmp_path, DJANGO_SETTINGS_MODULE="settings")
    assert result == [*asked, str(tmp_path / "app/django/db/models.py")]


def test_without_django_nothing_is_loaded(tmp_path):
    (tmp_path / "django.py").write_text("raise ImportError('none here')")
    lines = "module.preload(request); print(os.environ['DJANGO_SETTINGS_MODULE'])"
    assert run(lines, tmp_path, DJANGO_SETTINGS_MODULE="settings") == ["settings"]
