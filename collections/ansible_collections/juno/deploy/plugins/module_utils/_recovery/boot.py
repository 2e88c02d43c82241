# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a reboot in the middle of a release. Private to juno.deploy: no stable interface.

The Engine starts containers as it comes up, with whatever the checkout then holds, and nobody is left who would undo
the release. So where systemd starts the host, a unit gives the checkout back, before docker.service, what the last
verified release had, and another one finishes or undoes the release when the Engine answers. They do so only while
C(boot.json) is there, which is as long as a release is at work, and only if the host has booted since.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import app as app_app
from ansible_collections.juno.deploy.plugins.module_utils._app import registry_logins
from ansible_collections.juno.deploy.plugins.module_utils._base import command, files, processes
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._base.polling import wait_for
from ansible_collections.juno.deploy.plugins.module_utils._recovery import recover as recovery_recover
from ansible_collections.juno.deploy.plugins.module_utils._recovery import restore_site
from ansible_collections.juno.deploy.plugins.module_utils._state import journal
from ansible_collections.juno.deploy.plugins.module_utils._state import lock as state_lock

UNITS = "/etc/systemd/system"
#: There where systemd starts the host (sd_booted(3)).
SYSTEMD = "/run/systemd/system"
#: What keeps it from tidying up may pass, as the start of the Engine.
TIMEOUT_SECONDS = 300.0
TRY_AGAIN_SECONDS = 5.0
#: What each unit does, and when.
CHECKOUT, RECOVER = "checkout", "recover"
_WHAT = {
    CHECKOUT: ("give the checkout of {project} back what serves", "Before=docker.service", "oneshot"),
    RECOVER: ("finish or undo a release of {project} that a reboot cut off", "After=docker.service", "exec"),
}
_UNIT = """\
# Written by juno.deploy; a deploy writes it anew.
[Unit]
Description=juno.deploy: {description}
ConditionPathExists={path}
{when}

[Service]
Type={kind}
TimeoutStartSec=120
ExecStart={python} -c "{boot}" {path} {what}

[Install]
WantedBy=multi-user.target
"""
#: Units that are installed run it with the code that boot.json names: this module and its C(main) keep their names.
_BOOT = (
    "import json, sys; sys.path[0] = json.load(open(sys.argv[1]))['package']; "
    "from ansible_collections.juno.deploy.plugins.module_utils._recovery import boot; boot.main(*sys.argv[1:])"
)


def spec_path(directory: str) -> str:
    """Return the file that tells who tidies up after a reboot."""
    return os.path.join(directory, "boot.json")


def this_boot() -> str:
    """Return what no other boot of this host has; a container that is started again counts as booted, too."""
    return f"{state_lock.boot_id()} {processes.start_of(1)}"


def arm(app: app_app.App, spec: dict[str, t.Any], package: str) -> str:
    """See to it that a reboot finds who tidies up; return why that can't be.

    :param spec: the options of the release.
    :param package: the directory with the collection's code that is kept on this host.
    """
    if app.docker_host and not app.docker_host.startswith("unix://"):
        return "its Engine is another host's"
    if not os.path.isdir(SYSTEMD):
        return "systemd does not start this host"
    kept = {"app": dataclasses.asdict(app), "caches": spec["caches"], "package": package, "boot": this_boot()}
    try:
        files.replace(spec_path(app.state_directory), json.dumps(kept))
        for what in _WHAT:
            _install(app, what)
    except OSError as exc:
        return f"{exc.filename} can't be written ({exc.strerror})"
    return ""


def _install(app: app_app.App, what: str) -> None:
    name, text = unit(app, what)
    path, wanted = os.path.join(UNITS, name), os.path.join(UNITS, "multi-user.target.wants", name)
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
        if file.read() == text and os.path.lexists(wanted):
            return
    files.replace(path, text, 0o644)
    os.makedirs(os.path.dirname(wanted), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.symlink(path, wanted)


def unit(app: app_app.App, what: str) -> tuple[str, str]:
    """Return the name and the text of a unit."""
    description, when, kind = _WHAT[what]
    path = spec_path(app.state_directory)
    text = _UNIT.format(
        description=description.format(project=app.project),
        path=path,
        when=when,
        kind=kind,
        python=sys.executable,
        boot=_BOOT,
        what=what,
    )
    return f"juno-deploy-{app.project}-{what}.service", text


def main(path: str, what: str) -> None:
    """Do what a unit is for, if the host has booted since the spec was written.

    :raises JunoError: the checkout can't be given back.
    """
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)
    if spec["boot"] == this_boot():
        return
    app = app_app.from_json(spec["app"])
    if what == CHECKOUT:
        give_checkout_back(app)
    else:
        recover(app, spec["caches"])


def give_checkout_back(app: app_app.App) -> None:
    """Let the checkout have what the last verified release had, if another one was on its way into service."""
    entry = journal.interrupted(journal.read(app.journal))
    if entry and entry.before and entry.step != "verified":
        restore_site.restore_checkout(command.run_command, app, entry)


def recover(app: app_app.App, caches: dict[str, t.Any]) -> None:
    """Finish or undo what is interrupted, unless the next deploy is quicker.

    :raises JunoError: it can't be done; the next deploy tries again.
    """
    lock = state_lock.take(app.state_directory)
    if lock is None:
        return
    registry_logins.use(app)
    failed = ""

    def done() -> bool:
        nonlocal failed
        try:
            recovery_recover.recover_unattended(command.run_command, app, caches)
        except Exception as exc:  # noqa: BLE001 - whatever it is may pass, and nobody else would do it
            failed = str(exc)
            return False
        return True

    try:
        if not wait_for(done, TIMEOUT_SECONDS, TRY_AGAIN_SECONDS):
            raise JunoError(f"What was interrupted of {app.project} could not be tidied up ({failed}): deploy again.")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(spec_path(app.state_directory))
    finally:
        registry_logins.remove(app)
        state_lock.give_back(lock)
