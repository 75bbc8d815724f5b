"""Tongues: bytes to facts and back, without I/O. One file per API; `dialects.dialect` is their one shape."""
