# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# A droplet as it is bought: sshd and Python, no Engine.
FROM juno-base:trixie
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends openssh-server procps iproute2 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /etc/ssh/ssh_host_*
COPY entrypoint.sh /usr/local/sbin/entrypoint.sh
EXPOSE 22
ENTRYPOINT ["/usr/local/sbin/entrypoint.sh"]
