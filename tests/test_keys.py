# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and the known host key of a droplet."""

from __future__ import annotations

import stat

from droplet import keys


def test_a_key_is_made_once_and_is_private(tmp_path):
    key = keys.make(tmp_path / "new", "name")
    text = key.read_text()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert keys.make(tmp_path / "new", "name").read_text() == text


def test_only_the_droplets_own_files_are_removed(tmp_path):
    folder = tmp_path / "keys"
    keys.make(folder, "name")
    keys.write_known_hosts(folder, ["[127.0.0.1]:22", "172.17.0.2"], "ssh-ed25519 AAAA")
    assert (folder / "known_hosts").read_text() == "[127.0.0.1]:22 ssh-ed25519 AAAA\n172.17.0.2 ssh-ed25519 AAAA\n"
    (folder / "mine").touch()
    keys.remove(folder)
    assert [file.name for file in folder.iterdir()] == ["mine"]
    (folder / "mine").unlink()
    keys.remove(folder)
    assert not folder.exists()
