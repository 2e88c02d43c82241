# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app that waits for something that never comes."""

import time

time.sleep(60)
