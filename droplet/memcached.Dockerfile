# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# memcached as another release of Debian has it (SUITE): the program and its libraries, nothing else.
FROM juno-python:trixie AS whole
# Lets it be told from images of others once it is not needed any more.
LABEL juno.recipe=stage
ARG SUITE
# The list of a release that still moves may have grown old on a mirror.
RUN mirror=$(grep -rhoE 'https?://[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d | head -n 1) \
    && echo "deb $mirror $SUITE main" >/etc/apt/sources.list.d/suite.list \
    && apt-get update -qq -o Acquire::Check-Valid-Until=false \
    && version=$(apt-cache madison memcached | grep " $SUITE/" | head -n 1 | cut -d '|' -f 2 | tr -d ' ') \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends --allow-downgrades "memcached=$version"
RUN mkdir /alone \
    && ldd /usr/bin/memcached | grep -o '/[^ ]*' \
        | xargs cp --parents --dereference --target-directory=/alone /usr/bin/memcached
FROM scratch
COPY --from=whole /alone /
USER 65534:65534
CMD ["memcached"]
