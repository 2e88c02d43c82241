# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# memcached as Debian 12 has it (1.6.18): the program and its libraries, nothing else.
ARG BASE
FROM ${BASE} AS whole
# Lets it be told from images of others once it is not needed any more.
LABEL juno.recipe=stage
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends memcached
RUN mkdir /alone \
    && ldd /usr/bin/memcached | grep -o '/[^ ]*' \
        | xargs cp --parents --dereference --target-directory=/alone /usr/bin/memcached
FROM scratch
COPY --from=whole /alone /
USER 65534:65534
CMD ["memcached"]
