# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A URLconf that needs what isn't there."""

import no_such_library

urlpatterns = no_such_library.patterns
