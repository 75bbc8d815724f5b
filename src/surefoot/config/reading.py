"""From text to tables: TOML, then the shape of each table, telling every fault of form at once.

What cannot be read is told, cut out and marked as spoiled, and the rest goes on to be checked: a wrong price in one
target does not hide a missing key in another. Must never repeat a value that could be a secret.
"""

import copy
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.config.options import model_of
from surefoot.config.shape import FileTable
from surefoot.errors import ConfigError

_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|(end of document))\)", re.DOTALL)

Shape = TypeVar("Shape", bound=BaseModel)

STAND_IN = "unknown"

_SENTENCES = {
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "list_type": "must be a list",
}


def read_toml(path: Path, otherwise: str = "`surefoot init -o {}` writes one") -> dict[str, Any]:
    """The file as plain tables. Raises `ConfigError` if it is missing, unreadable or not TOML.

    `otherwise` says what to do where it is missing; `{}` in it is the path.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file; {otherwise.format(path)}"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 at byte {error.start}; save it as UTF-8"]) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax(path, text, str(error))]) from error


def _syntax(path: Path, text: str, message: str) -> str:
    found = _PLACE.fullmatch(message)
    if found is None:
        return f"{path}: {message}"
    line, column = (found[2], found[3]) if found[2] else (str(text.count("\n") + 1), "1")
    return f"{path}:{line}: column {column}: {found[1][:1].lower()}{found[1][1:]}; correct the TOML there"


def read_shape(raw: dict[str, Any], faults: Faults) -> FileTable:
    """The file's tables, without the parts that are told to `faults`."""
    rest = copy.deepcopy(raw)
    told = False
    while True:
        try:
            return FileTable.model_validate(rest)
        except ValidationError as error:
            details = error.errors(include_url=False)
        if not told:
            for detail in details:
                faults.add(path_of(*_written(rest, detail["loc"])), _sentence(detail))
        told = True
        for detail in details:
            _cut(rest, detail, faults)


def read_table(raw: dict[str, Any], root: type[Shape], faults: Faults) -> Shape | None:
    """A whole file of another form than the configuration's; None if any part of it is told to `faults`."""
    try:
        return root.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            faults.add(path_of(*_written(raw, detail["loc"])), _sentence(detail, root))
        return None


def _written(rest: dict[str, Any], location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A location as far as the file goes: where text stands for a table there is nothing inside it."""
    around: Any = rest
    for depth, part in enumerate(location):
        if isinstance(around, str):
            return location[:depth]
        if isinstance(around, dict):
            around = around.get(part)
        else:
            around = around[part] if isinstance(around, list) and isinstance(part, int) else None
    return location


def _sentence(detail: ErrorDetails, root: type[BaseModel] = FileTable) -> str:
    kind, location = detail["type"], detail["loc"]
    if kind == "extra_forbidden":
        return f"unknown key; {did_you_mean(str(location[-1]), _keys_at(location[:-1], root))}"
    if kind == "missing":
        return "is required" + _description(location, root)
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    return _SENTENCES.get(kind, detail["msg"])


def _cut(rest: dict[str, Any], detail: ErrorDetails, faults: Faults) -> None:
    """Take out the part that a detail speaks of; in a list, leave a gap, so that the others keep their number.

    Where a target or a key lacks a word, another word stands in, so that the rest of it is checked.
    """
    location = _written(rest, detail["loc"])
    stand_in = None
    if detail["type"] == "missing":
        named = len(location) == len(("targets", "NAME", "model")) and location[0] in {"targets", "keys"}
        stand_in = STAND_IN if named else None
        location = location if named else location[:-1]
    faults.spoil(path_of(*location))
    around: Any = rest
    for part in location[:-1]:
        around = around.get(part) if isinstance(around, dict) else around[part]
        if around is None:
            return
    last = location[-1]
    if isinstance(around, dict):
        around.pop(last, None)
        if stand_in:
            around[last] = stand_in
    elif isinstance(last, int):
        around[last] = None


def _keys_at(location: tuple[str | int, ...], root: type[BaseModel]) -> list[str]:
    """The keys that a table may have."""
    annotation: Any = root
    for part in location:
        annotation = _inside(annotation, part)
    model = _model(annotation)
    return list(model.model_fields) if model else []


def _description(location: tuple[str | int, ...], root: type[BaseModel]) -> str:
    annotation: Any = root
    for part in location[:-1]:
        annotation = _inside(annotation, part)
    model = _model(annotation)
    field = model.model_fields.get(str(location[-1])) if model else None
    return f"; it is: {field.description}".rstrip(".") if field and field.description else ""


def _inside(annotation: Any, part: str | int) -> Any:
    """The annotation of one key or element of a table, dictionary or list."""
    annotation = _bare(annotation)
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    if get_origin(annotation) is list:
        return get_args(annotation)[0]
    model = _model(annotation)
    field = model.model_fields.get(str(part)) if model else None
    return field.annotation if field else None


def _bare(annotation: Any) -> Any:
    """Without `Annotated` and without `None`."""
    if hasattr(annotation, "__metadata__"):
        return _bare(annotation.__origin__)
    options = [option for option in get_args(annotation) if option is not type(None)]
    if get_origin(annotation) not in {dict, list} and options:
        return _bare(options[0])
    return annotation


def _model(annotation: Any) -> type[BaseModel] | None:
    bare = _bare(annotation)
    if not isinstance(bare, type):
        return None
    if issubclass(bare, Struct):
        return model_of(bare)
    return bare if issubclass(bare, BaseModel) else None
