# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# A droplet that is ready: what the role juno.deploy.droplet installs is there.
FROM juno-base:trixie
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
        openssh-server docker.io docker-cli docker-compose docker-buildx iptables git \
        python3-docker python3-pymemcache curl procps iproute2 sudo \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /etc/ssh/ssh_host_*
COPY entrypoint.sh /usr/local/sbin/entrypoint.sh
EXPOSE 22 8001
ENTRYPOINT ["/usr/local/sbin/entrypoint.sh"]
