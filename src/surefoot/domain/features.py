"""What a request can need beside text, as words: a target declares those that it has.

Must never guess what a model can do from its name.
"""

from enum import StrEnum


class Feature(StrEnum):
    """One thing that not every model can do."""

    TOOLS = "tools"
    """It calls tools, or functions as they were called before."""
    IMAGE = "image"
    """It reads images in the prompt."""
    AUDIO = "audio"
    """It takes or gives sound."""
    FILE = "file"
    """It reads files in the prompt."""
    JSON = "json"
    """It keeps to `response_format`, an object or a schema."""


Features = frozenset[Feature]

NO_FEATURES: Features = frozenset()

ALL_FEATURES: Features = frozenset(Feature)


def written(features: Features) -> str:
    """As records and sentences have them: `image,tools`."""
    return ",".join(sorted(features))


def read(text: str) -> Features:
    """The opposite of `written`. Raises `ValueError` for an unknown word."""
    return frozenset(map(Feature, text.split(","))) if text else NO_FEATURES
