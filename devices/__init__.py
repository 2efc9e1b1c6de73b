"""Each protocol is one folder: bytes stay inside it, facts come out of it."""
