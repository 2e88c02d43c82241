# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# A droplet that systemd starts, as it does on a real one: sshd, and the Engine.
FROM juno-droplet:trixie
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends systemd systemd-sysv \
    && rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_* \
    && mkdir -p /etc/systemd/system/ssh.service.d /etc/systemd/system/docker.service.d \
    && printf '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n' \
        >/etc/systemd/system/ssh.service.d/keys.conf \
    && printf '[Service]\nEnvironment=DOCKER_ALLOW_IPV6_ON_IPV4_INTERFACE=1\n' \
        >/etc/systemd/system/docker.service.d/ipv6.conf
ENV container=docker
STOPSIGNAL SIGRTMIN+3
# The host's hierarchy of cgroups may be the old one, which systemd takes only where it is told to.
ENTRYPOINT ["/lib/systemd/systemd", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"]
