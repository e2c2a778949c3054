"""Imported first by the command line: we speak no TLS, and without OpenSSL we are 5 MB smaller.

The standard library falls back to its own digests; who needs TLS is a process of its own.
"""

from __future__ import annotations

import sys

for _name in ("ssl", "_hashlib"):
    sys.modules.setdefault(_name, None)  # type: ignore[arg-type]
