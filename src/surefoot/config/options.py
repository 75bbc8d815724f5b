"""The options that stand beside the policy, as tables of the file: range, unit and default are read from their structs.

A struct such as `BreakerOptions` says everything there is to say of its options; here a pydantic model is made from it,
so that nothing is said twice. Must never name an option.
"""

import ast
import inspect
from functools import cache
from typing import Annotated, Any

from msgspec import Struct
from msgspec.inspect import Field, FloatType, IntType, Metadata, StructType, UnionType, type_info
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from surefoot.config.forms import Bounds, Form, quantity


class OfStruct:
    """Stands in an annotation of a struct: reads a table of the file into that struct."""

    def __get_pydantic_core_schema__(self, source: type[Struct], handler: GetCoreSchemaHandler) -> CoreSchema:
        model = model_of(source)

        def build(table: BaseModel) -> Struct:
            return source(**{name: getattr(table, name) for name in model.model_fields})

        return core_schema.no_info_after_validator_function(build, handler.generate_schema(model))


OF_STRUCT = OfStruct()


@cache
def model_of(struct: type[Struct]) -> type[BaseModel]:
    """The pydantic model of a table whose keys are the fields of a struct."""
    fields: dict[str, Any] = {}
    for field in _fields(struct):
        if isinstance(field.type, StructType):
            fields[field.name] = (_annotated(field.type.cls, OF_STRUCT), field.default)
        else:
            fields[field.name] = (Annotated[object, form_of(struct, field.name)], field.default)
    return create_model(struct.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def form_of(struct: type[Struct], name: str) -> Form:
    """The form of one quantity of a struct. Raises `TypeError` if it carries no unit."""
    field = next(field for field in _fields(struct) if field.name == name)
    options = field.type.types if isinstance(field.type, UnionType) else (field.type,)
    for option in options:
        if isinstance(option, Metadata) and isinstance(option.type, IntType | FloatType) and option.extra:
            number = option.type
            return quantity(option.extra["unit"], Bounds(number.gt, number.ge, number.lt, number.le))
    raise TypeError(f"{struct.__name__}.{name} has no unit: give it a type of surefoot.domain.units")


@cache
def descriptions_of(struct: type[Struct]) -> dict[str, str]:
    """What the text under each field says. Read from the source: Python does not keep these texts."""
    body = ast.parse(inspect.getsource(struct)).body[0]
    found: dict[str, str] = {}
    if isinstance(body, ast.ClassDef):
        for field, text in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                found[field.target.id] = inspect.cleandoc(str(ast.literal_eval(text.value)))
    return found


def _fields(struct: type[Struct]) -> tuple[Field, ...]:
    info = type_info(struct)
    return info.fields if isinstance(info, StructType) else ()


def _annotated(annotation: Any, form: object) -> Any:
    return Annotated[annotation, form]
