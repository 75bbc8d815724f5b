"""Whole configurations held against one another: the same traffic, incidents and draws for each.

    files ─▶ candidates ─▶ a paired replay of each ─▶ facts of each, their differences ─▶ places in the impact matrix
                           drills, probes ──────────▶

Knows what replay, drills and probes tell. Must never: draw a picture, or say of one candidate what was measured of
another.
"""
