"""Drills: failing on purpose, and measuring what comes of it.

Knows: the twins, the load generator, the gateway as a program. Must never: bypass the policy of the gateway.
"""
