"""What all tables of the file have in common, and the forms that many of them use.

Knows no table. Must never read a file or the environment.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from surefoot.config import forms
from surefoot.config.forms import Bounds, quantity

Text = Annotated[str, forms.TEXT]
File = Annotated[str, forms.FILE]
Flag = Annotated[bool, forms.FLAG]
Label = Annotated[str, forms.named("name", "[A-Za-z0-9][A-Za-z0-9._-]{0,63}")]
Seconds = Annotated[float, quantity("duration", Bounds(gt=0, le=86_400))]


class Table(BaseModel):
    """What all tables have in common: unknown keys are refused, and the text under a key is its description."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, arbitrary_types_allowed=True)
