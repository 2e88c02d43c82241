#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# What starts in the test droplet: sshd, and the Engine when it is installed. Each start is like a boot.
set -eu
rm -f /run/docker.pid /run/docker/containerd/containerd.pid
mkdir -p /run/sshd
[ -f /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
if command -v dockerd >/dev/null; then
    /usr/sbin/sshd
    # The host may have no IPv6 to forbid: Engine 26 refuses to make a bridge then, unless told.
    export DOCKER_ALLOW_IPV6_ON_IPV4_INTERFACE=1
    exec dockerd
fi
exec /usr/sbin/sshd -D
