# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dataclasses from plain data as JSON has it, by the types of their fields, and back. Private to juno.deploy.

Standard library only.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Read = Callable[[t.Any], t.Any]

T = t.TypeVar("T")

_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    type(None): "null",
}


class KindError(Exception):
    """A value is of another kind than its field; C(field) says where it stands, C(problem) what is wrong with it."""

    def __init__(self, problem: str, *field: str) -> None:
        """Say what is wrong with a value."""
        super().__init__(problem)
        self.problem, self.parts = problem, field

    @property
    def field(self) -> str:
        """The field, from the outermost one on."""
        return ".".join(self.parts)

    def inside(self, name: str) -> KindError:
        """Return the error as the field around it has it."""
        return KindError(self.problem, name, *self.parts)


def from_plain(
    cls: Callable[..., T], raw: Mapping[str, t.Any], harmless: Collection[str] = ()
) -> tuple[T, dict[str, t.Any]]:
    """Read a dataclass; return it with the fields that it doesn't have, those of its parts below the part's name.

    What is null counts as missing, so it has its default.

    :param harmless: fields that have their default where they are of another kind.
    :raises KindError: another field is, or one without a default is missing.
    """
    readers, values, unknown = _readers(cls), dict[str, t.Any](), dict[str, t.Any]()
    for name, value in raw.items():
        if name not in readers:
            unknown[name] = value
            continue
        part, read = readers[name]
        if value is None:
            continue
        try:
            if part is None:
                values[name] = read(value)
            else:
                values[name], rest = from_plain(part, _require(dict, value))
                unknown |= {name: rest} if rest else {}
        except KindError as exc:
            if name not in harmless:
                raise exc.inside(name) from None
    for name in _required(cls):
        if name not in values:
            raise KindError("is missing", name)
    return cls(**values), unknown


def to_plain(value: t.Any) -> t.Any:
    """Return dataclasses, and what they hold, as plain data."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if dataclasses.is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: to_plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(one) for one in value]
    return value


@functools.cache
def _required(cls: t.Any) -> tuple[str, ...]:
    none = dataclasses.MISSING
    fields = dataclasses.fields(cls)
    return tuple(one.name for one in fields if one.default is none and one.default_factory is none)


@functools.cache
def _readers(cls: t.Any) -> dict[str, tuple[t.Any, Read]]:
    """Return for each field the dataclass that it holds, if it does, and what reads it."""
    hints = t.get_type_hints(cls)
    kinds = {one.name: _without_none(hints[one.name]) for one in dataclasses.fields(cls)}
    return {
        name: (kind, lambda value: value) if dataclasses.is_dataclass(kind) else (None, _reader(kind))
        for name, kind in kinds.items()
    }


def _without_none(kind: t.Any) -> t.Any:
    if t.get_origin(kind) in (types.UnionType, t.Union):
        return next(one for one in t.get_args(kind) if one is not type(None))
    return kind


def _reader(kind: t.Any) -> Read:
    """Return what reads a value of a kind, or raises KindError."""
    origin, parts = t.get_origin(kind), t.get_args(kind)
    if kind is t.Any:
        return lambda value: value
    if origin is dict:
        return functools.partial(_read_dict, parts[1], _reader(parts[1]))
    if origin is list or (origin is tuple and parts[1:] == (...,)):
        return functools.partial(_read_list, origin, parts[0], _reader(parts[0]))
    if origin is tuple:
        each = [_reader(one) for one in parts]
        return lambda value: tuple(read(one) for read, one in zip(each, _require_count(len(each), value), strict=True))
    if kind is float:
        return lambda value: float(_require(float, value))
    return lambda value: value if value.__class__ is kind else _require(kind, value)


def _read_dict(kind: t.Any, read: Read, value: t.Any) -> dict[str, t.Any]:
    _require(dict, value)
    if kind is t.Any or set(map(type, value.values())) <= {kind}:
        return dict(value)
    return {name: read(one) for name, one in value.items()}


def _read_list(into: t.Any, kind: t.Any, read: Read, value: t.Any) -> t.Any:
    _require(list, value)
    return into(value if set(map(type, value)) <= {kind} else map(read, value))


def _require(kind: type[t.Any], value: t.Any) -> t.Any:
    fits = isinstance(value, (int, float) if kind is float else kind)
    if kind in (int, float) and isinstance(value, bool):
        fits = False
    if fits:
        return value
    raise KindError(f"is {_NAMES.get(type(value), 'of another kind')} and ought to be {_NAMES[kind]}")


def _require_count(count: int, value: t.Any) -> t.Any:
    if len(_require(list, value)) == count:
        return value
    raise KindError(f"has {len(value)} parts and ought to have {count}")
