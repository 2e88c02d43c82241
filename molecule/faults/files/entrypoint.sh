#!/bin/sh
# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# The droplet's own entry point, but an Engine that is killed comes back after a moment, as where systemd keeps it.
set -eu
mkdir -p /run/sshd
[ -f /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
/usr/sbin/sshd
export DOCKER_ALLOW_IPV6_ON_IPV4_INTERFACE=1
going=
trap 'going=yes; kill -TERM "$engine"' TERM
until [ -n "$going" ]; do
    rm -f /run/docker.pid /run/docker/containerd/containerd.pid
    dockerd &
    engine=$!
    # The first wait ends at a TERM, the second one with the Engine.
    wait "$engine" || wait "$engine" || true
    sleep 1
done
