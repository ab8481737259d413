"""Tests keep what they cache in a folder of their own, which goes with them."""

from __future__ import annotations

import os
import tempfile

_cache = tempfile.TemporaryDirectory(prefix="tracemill-cache-")
os.environ["TRACEMILL_CACHE"] = _cache.name
