"""Quantities with their units in the type, so that a wrong unit cannot be configured.

Each alias carries the range that the configuration enforces and the unit that the reference prints.
Inside the code a duration is a float of seconds and a share is a float from 0 to 1.
"""

from typing import Annotated

from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0, le=86_400, extra={"unit": "duration"})]
Share = Annotated[float, Meta(ge=0, le=1, extra={"unit": "share"})]
Patience = Annotated[float, Meta(ge=0, le=86_400, extra={"unit": "duration"})]
SmallShare = Annotated[float, Meta(ge=0, le=0.1, extra={"unit": "share"})]
Quantile = Annotated[float, Meta(gt=0, lt=1, extra={"unit": "quantile"})]
Count = Annotated[int, Meta(ge=1, le=1_000_000, extra={"unit": "count"})]
Size = Annotated[int, Meta(ge=1024, le=1024**4, extra={"unit": "size"})]
Factor = Annotated[float, Meta(ge=1, le=100, extra={"unit": "factor"})]
Spreads = Annotated[float, Meta(gt=0, le=100, extra={"unit": "factor"})]
"""So many times the usual scatter of a quantity (its standard deviation, robustly learned)."""

TOKENS_PER_PRICE_UNIT = 1_000_000


class Price(Struct, frozen=True):
    """What a target charges, in US dollars per million tokens (the unit of every public price list)."""

    input: float
    output: float

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars for one answer of this length."""
        return (self.input * prompt_tokens + self.output * completion_tokens) / TOKENS_PER_PRICE_UNIT
