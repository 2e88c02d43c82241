# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say what is left to happen when Ctrl-C or SIGTERM ends ansible-playbook. Private to juno.deploy: no stable interface.

A worker, which runs the action plugin, can't say it: it ends before its words are shown, and since ansible-core 2.19 it
has no terminal. So it leaves them in a file, and the main process says them. That one imports an action plugin, too, to
look at its class before it starts a worker, whatever the strategy; so the plugin calls C(listen) where it is imported.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import multiprocessing
import os
import pathlib
import signal
import threading
import typing as t
import urllib.parse

from ansible import constants
from ansible.utils.display import Display

if t.TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "juno-if-cancelled-"
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def show(line: str) -> None:
    """Show a line on standard error at once, from a worker, too.

    A signal waits until it is sent: since ansible-core 2.19 one kills the worker on the spot, and if the worker had the
    lock of the queue to the main process just then, that one waits for it forever.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        Display().display(line, stderr=True)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def say_if_cancelled(host: str, text: str) -> None:
    """Have C(text) said for a host if a signal ends the playbook from now on, also between tasks; if empty, nothing."""
    path = _directory() / f"{_PREFIX}{urllib.parse.quote(host, safe='')}"
    # No deploy fails because these words can't be kept.
    with contextlib.suppress(OSError):
        if not text:
            path.unlink(missing_ok=True)
            return
        new = path.with_name(f"new-{path.name}")
        new.write_text(text, encoding="utf-8")
        # The signal may come at any moment: either the old words are there or the new ones.
        os.replace(new, path)


def playbook_ended() -> bool:
    """Tell a worker whether its main process is gone, so that nobody waits for the task's result any more.

    SIGKILL leaves the workers behind, and so do SIGTERM before ansible-core 2.19 and SIGHUP since then.
    """
    parent = multiprocessing.parent_process()
    return parent is not None and os.getppid() != parent.pid


@functools.lru_cache(maxsize=1)
def listen() -> None:
    """In Ansible's main process: say what the workers have left if a signal ends it. Elsewhere nothing happens."""
    if multiprocessing.parent_process() is not None or threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        before = signal.getsignal(number)
        if callable(before) or before is signal.SIG_DFL:
            signal.signal(number, functools.partial(_on_signal, os.getpid(), before))


def _on_signal(main: int, before: t.Any, number: int, frame: t.Any) -> None:
    """Say the words, and do what was to be done before; the workers inherit this, and have nothing to say."""
    if os.getpid() != main and before is not signal.default_int_handler:
        # A worker that has just been forked: what Ansible does in its main process ends in a traceback there.
        before = signal.SIG_DFL
    try:
        if os.getpid() == main and number == signal.SIGINT and callable(before):
            # The last words: Ansible tidies up first, and says that it was interrupted.
            atexit.register(_say)
        elif os.getpid() == main:
            _say()
        if callable(before):
            before(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
    finally:
        # A second Ctrl-C doesn't wait for the tidying up.
        signal.signal(number, functools.partial(_on_signal, main, signal.SIG_DFL))


def _say() -> None:
    # The terminal may be gone, and a signal may come while a line is being written.
    with contextlib.suppress(OSError, RuntimeError):
        for line in lines(_take_words()):
            Display().display(line, stderr=True)


def lines(words: Mapping[str, str]) -> list[str]:
    """Build what is said from the words of each host: the same is said once, and of whom where hosts differ."""
    hosts: dict[str, list[str]] = {}
    for host, text in sorted(words.items()):
        hosts.setdefault(text, []).append(host)
    return list(hosts) if len(hosts) == 1 else [f"{', '.join(names)}: {text}" for text, names in hosts.items()]


def _take_words() -> dict[str, str]:
    """Take them away, so that they are said once."""
    words = {}
    for path in _directory().glob(f"{_PREFIX}*"):
        words[urllib.parse.unquote(path.name.removeprefix(_PREFIX))] = path.read_text(encoding="utf-8")
        path.unlink()
    return words


def _directory() -> pathlib.Path:
    """Return the folder that the main process shares with its workers, and removes as it ends."""
    return pathlib.Path(constants.DEFAULT_LOCAL_TMP)
