"""Classes with declared fields: dataclasses, attrs classes and NamedTuples, taken apart, copied and constructed."""

from __future__ import annotations

from ._signature import signature_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

_ABSENT = object()


def has_fields(cls: Any) -> bool:
    """Whether a class is a dataclass or an attrs class, or inherits from one."""
    return hasattr(cls, "__dataclass_fields__") or hasattr(cls, "__attrs_attrs__")


def field_items(x: Any) -> tuple[list[Any], list[Any]]:
    """The names and values of the fields that an instance has."""
    items = [(field.name, getattr(x, field.name, _ABSENT)) for field in _fields(type(x))]
    return [name for name, value in items if value is not _ABSENT], [v for _, v in items if v is not _ABSENT]


def field_names(cls: Any) -> list[str]:
    """The fields of a dataclass or attrs class, in order."""
    return [field.name for field in _fields(cls)]


def clone(x: Any, keys: list[Any], values: list[Any]) -> Any:
    """The same instance with other values in its fields; nothing is computed or checked anew."""
    from copy import copy

    try:
        made = copy(x)
    except AttributeError:  # attrs copies no instance with slots of which one is empty
        cls: Any = type(x)
        made = cls.__new__(cls)
    for key, value in zip(keys, values, strict=True):
        if getattr(made, key, _ABSENT) is not value:
            object.__setattr__(made, key, value)
    return made


def construct(x: Any, keys: list[Any], values: list[Any], *, deferred: bool = True) -> Any:
    """An instance through its constructor, so that `__post_init__`, converters and validators see the values.

    Args:
        x: An instance.
        keys: Its fields.
        values: Their values, which take the place of its own.
        deferred: Whether they were made of what had to be built first. If not,
            the constructor has seen them before: it computes and checks, but
            what it was given stays as it is.
    """
    return construct_class(type(x), dict(zip(keys, values, strict=True)), deferred=deferred, like=x)


def construct_class(cls: Any, fields: dict[str, Any], *, deferred: bool, like: Any = None) -> Any:
    """`construct` of a class and its fields by name; `like` is an instance, where there is one."""
    names = taken_by(cls)
    if asked_beyond_fields(cls) and not deferred:
        made = cls.__new__(cls) if like is None else clone(like, [], [])
        kept = fields
    else:
        made = cls(**{names[key]: value for key, value in fields.items() if key in names})
        late = {} if computes(cls) else {key: value for key, value in fields.items() if key not in names}
        kept = late if deferred else {**late, **{key: fields[key] for key in fields if key in names}}
    for key, value in kept.items() if has_fields(cls) else ():
        if getattr(made, key, _ABSENT) is not value:
            object.__setattr__(made, key, value)
    return made


def raw_instance(cls: Any, fields: dict[str, Any]) -> Any:
    """An instance whose fields are as they are given; the constructor is asked only for those that are not."""
    if set(field_names(cls)) - fields.keys():
        names = taken_by(cls)
        made = cls(**{names[key]: value for key, value in fields.items() if key in names})
    else:
        made = cls.__new__(cls)
    for key, value in fields.items():
        object.__setattr__(made, key, value)
    return made


def taken_by(cls: type) -> dict[str, str]:
    """The fields that the constructor takes, each with the name of its parameter."""
    if not has_fields(cls):
        return {name: name for name in getattr(cls, "_fields", ())}
    signature = signature_of(cls)
    named = {field.name: getattr(field, "alias", None) or field.name for field in _fields(cls) if field.init}
    if signature is None or signature.more_named:
        return named
    return {name: parameter for name, parameter in named.items() if parameter in signature.named}


def computes(cls: type) -> bool:
    """Whether a class does more with its fields than keep them."""
    return hasattr(cls, "__post_init__") or hasattr(cls, "__attrs_post_init__")


def asked_beyond_fields(cls: type) -> list[str]:
    """What the constructor asks for and no field keeps: each `InitVar`, and what a handwritten `__init__` requires."""
    if not has_fields(cls):
        return []
    declared = getattr(cls, "__dataclass_fields__", {}).values()
    asked = [field.name for field in declared if field._field_type.name == "_FIELD_INITVAR"]
    signature, names = signature_of(cls), taken_by(cls).values()
    required = sorted(signature.required - {*names, *asked}) if signature is not None else []
    return [*asked, *required]


def owned_defaults(x: Any) -> Collection[str]:
    """The fields that hold an object which is the default of the class."""
    cls = type(x)
    if has_fields(cls):
        defaults = [(field.name, field.default) for field in _fields(cls)]
    else:
        defaults = list(getattr(cls, "_field_defaults", {}).items())
    return {name for name, value in defaults if type(value) not in _PLAIN and getattr(x, name, None) is value}


_PLAIN = frozenset((int, float, str, bool, type(None), bytes, complex))


def _fields(cls: Any) -> list[Any]:
    fields = getattr(cls, "__dataclass_fields__", None)
    if fields is None:
        return list(cls.__attrs_attrs__)
    # `_field_type` tells fields from ClassVar and InitVar without importing dataclasses.
    return [field for field in fields.values() if field._field_type.name == "_FIELD"]
