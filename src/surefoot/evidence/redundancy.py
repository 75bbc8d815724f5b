"""What a group of targets is worth that can fail together."""

from scipy.special import bdtrc

from surefoot.errors import EvidenceError
from surefoot.evidence.given import share, whole


def common_cause(q: float, beta: float, needed: int = 1, of: int = 2) -> float:
    """The unavailability of a group of `of` targets of which `needed` must work, each unavailable with share q.

    The beta-factor model (IEC 61508-6, annex D; Fleming 1975): a share beta of q strikes all at once, the rest each on
    its own: `beta q + P(more than of - needed fail)`, binomial in `(1 - beta) q`. For one of two that is
    `beta q + ((1 - beta) q)^2`. The sum counts twice what has both causes; it is exact for small q and never too low,
    and ends at 1. beta = 1 where cloud and region are shared; measure it from overlapping incidents elsewhere.
    Raises `EvidenceError` unless q and beta are shares and 1 <= needed <= of.
    """
    q, beta = share("an unavailability", q), share("beta", beta)
    of = whole("the group's size", of, least=1)
    needed = whole("needed", needed, least=1)
    if needed > of:
        raise EvidenceError(f"{needed} needed of a group of {of}: it cannot be more than there are")
    alone = float(bdtrc(of - needed, of, (1 - beta) * q))
    return min(beta * q + alone, 1.0)
