# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH keys of a droplet: one to get in with, and its own host key, so that nothing is trusted unseen."""

from __future__ import annotations

import pathlib

from droplet.process import attempt, run, wait_until

FILES = ("id_ed25519", "id_ed25519.pub", "known_hosts")


def make(folder: pathlib.Path, name: str) -> pathlib.Path:
    """Return the private key in the folder; made when there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "id_ed25519"
    if not key.exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"droplet {name}", "-f", str(key)])
    return key


def authorise(name: str, key: pathlib.Path) -> None:
    """Let the key's owner in as root."""
    public = key.with_suffix(".pub").read_text(encoding="utf-8").strip()
    script = (
        "install -d -m 700 /root/.ssh && touch /root/.ssh/authorized_keys && chmod 600 /root/.ssh/authorized_keys && "
        'grep -qxF -- "$1" /root/.ssh/authorized_keys || printf "%s\\n" "$1" >>/root/.ssh/authorized_keys'
    )
    run(["docker", "exec", name, "sh", "-c", script, "sh", public])


def host_key(name: str) -> str:
    """Return the droplet's public host key, read inside it and so not from whoever answers on the port."""
    argv = ["docker", "exec", name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]
    wait_until(lambda: attempt(argv).returncode == 0, timeout_seconds=20)
    kind, key = run(argv).split()[:2]
    return f"{kind} {key}"


def write_known_hosts(folder: pathlib.Path, addresses: list[str], key: str) -> pathlib.Path:
    """Write the only host key that is accepted at these addresses."""
    file = folder / "known_hosts"
    file.write_text("".join(f"{address} {key}\n" for address in addresses), encoding="utf-8")
    return file


def remove(folder: pathlib.Path) -> None:
    """Remove the droplet's files, and the folder when nothing else is in it."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
