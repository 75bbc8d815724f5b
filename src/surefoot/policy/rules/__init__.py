"""The rules, one file each. `policy.stack` lists them in order; none knows of the others.

Their one shape is `policy.candidate.Rule` for those that admit, and `Ranking` for those that order.
"""
