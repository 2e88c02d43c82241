# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clear an app's caches as its deploys do, as a part of other work. Private to juno.deploy: no stable interface."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.juno.deploy.plugins.module_utils._app import engine, one_off, pull_policy
from ansible_collections.juno.deploy.plugins.module_utils._base import events
from ansible_collections.juno.deploy.plugins.module_utils._base import options as base_options
from ansible_collections.juno.deploy.plugins.module_utils._base.errors import JunoError
from ansible_collections.juno.deploy.plugins.module_utils._cache import django_caches
from ansible_collections.juno.deploy.plugins.module_utils._django import runner
from ansible_collections.juno.deploy.plugins.module_utils._memcached import delete, flush
from ansible_collections.juno.deploy.plugins.module_utils._memcached import report as memcached_report
from ansible_collections.juno.deploy.plugins.module_utils._memcached import servers as memcached_servers

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ansible_collections.juno.deploy.plugins.module_utils._app.app import App
    from ansible_collections.juno.deploy.plugins.module_utils._runtime.context import SwitchContext

#: A container in which nothing runs but what we run there ends by itself after so long.
IDLE_SECONDS = 900


@contextlib.contextmanager
def between(work: SwitchContext, old: Sequence[engine.Container]) -> Iterator[t.Callable[[], None]]:
    """Get ready to clear the caches while nothing serves; return what does so once the old containers have ended.

    The app's settings tell where its caches are, so a container of the release is started for that beforehand. That
    they can't be cleared is a notice: they are cleared again once the new containers serve, and that must go well.
    """
    caches, cache_version = work.spec.caches, work.spec.cache_version
    covered = bool(cache_version.value) and not cache_version.others
    if not old or not work.spec.commit or covered or caches.get("method", "none") == "none":
        yield lambda: setattr(work, "cleared_at", time.time() if covered else 0.0)
        return
    with contextlib.ExitStack() as held:
        places, why = None, ""
        if caches["method"] == "settings":
            try:
                places = [held.enter_context(_idle(work))]
            except JunoError as exc:
                why = exc.message

        def clear_now() -> None:
            cause = why
            if not cause:
                try:
                    clear(work.app, caches, places)
                except JunoError as exc:
                    cause = exc.message
            if cause:
                work.notices.append(f"the caches could not be cleared before the new container started: {cause}")
            else:
                work.cleared_at = time.time()

        yield clear_now


@contextlib.contextmanager
def _idle(work: SwitchContext) -> Iterator[runner.Place]:
    """Start a container of the release in which nothing runs, and remove it afterwards."""
    app = work.app
    words = ["run", "--detach", "--rm", "--no-deps", "--no-TTY", *one_off.label_words(app), "--entrypoint", "sleep"]
    override = pull_policy.override(app.state_directory, app.service, work.service)
    argv = app.compose_live().argv(*words, app.service, str(IDLE_SECONDS), override=override)
    result = work.run(argv, cwd=app.path, timeout_seconds=django_caches.START_SECONDS)
    name = result.require("A container for that could not be started ({cause}).").stdout.split()[-1]
    try:
        found = engine.Container(name, name, app.service, 0, "running", "", (), ())
        yield runner.in_container(work.client, found, _params(app, work.spec.caches))
    finally:
        try:
            one_off.remove_left(app)
        except JunoError as exc:
            work.notices.append(exc.message)


def clear(
    app: App,
    caches: dict[str, t.Any],
    places: Sequence[runner.Place] | None = None,
    alias: Sequence[str] = (),
    naming: Sequence[str] = (),
) -> dict[str, t.Any]:
    """Clear the app's caches as its deploys do; return what the module for that would return, by C(method).

    :param places: where the app's settings are read, if not in the containers that serve.
    :param alias: only these of them.
    :param naming: only pages that name one of these static files.
    :raises JunoError: they can't be cleared.
    """
    place = {"project": app.project, "docker_host": app.docker_host or None}
    policy = _policy(caches)
    if caches.get("method") == "memcached":
        params = {
            **base_options.defaults(memcached_servers.ARGUMENTS),
            **place,
            "service": caches["service"],
            "port": caches["port"],
        }
        return {"memcached": _clear_memcached(params, policy)}
    if caches.get("method") != "settings":
        return {}
    params = {**_params(app, caches), "naming": list(naming)}
    params["alias"] = list(alias) or params["alias"]
    places = places or runner.places(params)
    if params["command"]:
        return {"settings": django_caches.run_command(places[0], params, check_mode=False)}
    return {"settings": django_caches.clear(places, params, check_mode=False)}


def _policy(caches: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: caches.get(name, option["default"]) for name, option in base_options.CACHE_POLICY.items()}


def _params(app: App, caches: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the parameters of the module django_cache_clear."""
    more = {**base_options.defaults(base_options.CACHE_CLEAR), **_policy(caches)}
    place = {"project": app.project, "docker_host": app.docker_host or None, "service": app.service}
    wanted = {name: caches.get(name) for name in ("settings", "alias", "command")}
    return {**base_options.defaults(base_options.DJANGO), **more, **place, **wanted}


def _clear_memcached(params: dict[str, t.Any], policy: dict[str, t.Any]) -> dict[str, t.Any]:
    servers, options = memcached_servers.find_servers(params), memcached_servers.options_from(params)
    what = "flushes" if policy["mode"] == "flush" else "deletes what is no session at"
    events.tell(f"{what} {', '.join(one.name for one in servers)}")
    if policy["mode"] == "flush":
        outcomes = flush.flush_servers(servers, options)
        report = memcached_report.report(outcomes)
        memcached_report.require_flushed(outcomes, report)
        return report
    chosen = delete.Selection(keep=("sessions", *policy["keep"]))
    ended = delete.delete_selected([(server, chosen) for server in servers], options)
    return memcached_report.report_selected(ended)
