# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Debian's packages are taken from."""

from __future__ import annotations

import pytest

from droplet.debian import find_mirror

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n'
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04 LTS"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n'
DEB822 = """# a snapshot could be here
Types: deb
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
"""


@pytest.mark.parametrize(
    ("release", "sources", "expected"),
    [
        (DEBIAN, [("debian.sources", DEB822)], "http://mirror.example/debian"),
        (
            DEBIAN,
            [("sources.list", "deb [arch=amd64] https://a.example/debian bookworm main\n")],
            "https://a.example/debian",
        ),
        (DEBIAN, [("sources.list", "# deb http://no.example/debian bookworm main\n")], None),
        (
            DEBIAN,
            [("sources.list", "deb cdrom:[Debian]/ bookworm main\ndeb-src http://s.example bookworm main\n")],
            None,
        ),
        (DEBIAN, [("other.list", "deb http://tools.example/apt tools-bookworm main\n")], None),
        (DEBIAN, [("off.sources", "Enabled: no\n" + DEB822.replace("# a snapshot could be here\n", ""))], None),
        (UBUNTU, [("ubuntu.sources", DEB822.replace("bookworm", "noble"))], None),
        (DEBIAN, [], None),
    ],
    ids=["deb822", "one line", "comment", "cdrom and sources", "another vendor", "disabled", "ubuntu", "nothing"],
)
def test_the_mirror_of_the_hosts_own_release(release, sources, expected):
    assert find_mirror(release, sources) == expected
