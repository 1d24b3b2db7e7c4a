"""Functions of the override grammar: casts, `sort` and `shuffle`, and the sweeps `choice range interval glob`."""

from __future__ import annotations

from _collections_abc import Sequence

from ._alternatives import SWEEPS, Choice, Extension, Glob, Interval, Range, Refused
from ._word import plain_value, write_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MOST_SHUFFLED = 1_000_000


def call(name: str, args: list[Any], named: dict[str, Any]) -> Any:
    """What a function gives.

    Args:
        name: Of `FUNCTIONS`.
        args: Values of the grammar, or sweeps.
        named: Further ones by name.

    Raises:
        Refused: It does not take them.
    """
    function, parameters, many = FUNCTIONS[name]
    for key in named:
        if key not in parameters:
            known = f"it takes {', '.join(parameters)}" if parameters else "it takes values alone"
            raise Refused(f"{name} takes no {key}=…: {known}; quote a text that holds '='")
    if many:
        return function(args, **named)
    if len(args) > (2 if name == "interval" else len(parameters)):
        raise Refused(f"{name} takes {', '.join(parameters)}, found {len(args)} values")
    for key, value in zip(parameters, args, strict=False):
        if key in named:
            raise Refused(f"{name} is given {key} twice")
        named[key] = value
    if parameters[0] not in named or (name == "interval" and "end" not in named):
        raise Refused(f"{name} takes {', '.join(parameters)}")
    return function(**named)


# --- casts ------------------------------------------------------------------------------------------------------------


def _caster(name: str) -> Callable[..., Any]:
    def function(args: list[Any], value: Any = None) -> Any:
        if value is not None:
            args = [*args, value]
        if not args or (value is not None and len(args) > 1):
            raise Refused(f"{name} takes a value, or several by their positions")
        return _cast(name, args[0] if len(args) == 1 else Choice(_no_sweeps(name, args), simple=True))

    return function


def _cast(name: str, value: Any) -> Any:
    if isinstance(value, Choice):
        return Choice([_cast(name, item) for item in value.values], value.tags, simple=value.simple)
    if isinstance(value, Range) and name == "json_str":
        return Choice([_cast(name, item) for item in value], value.tags)
    if isinstance(value, Range) and name in ("int", "float"):
        start, stop, step = (_cast_one(name, x) for x in (value.start, value.stop, value.step))
        return Range(start, stop, step, value.tags)
    if isinstance(value, Interval) and name in ("int", "float"):
        return Interval(_cast_one(name, value.start), _cast_one(name, value.end), value.tags)
    if isinstance(value, SWEEPS):
        raise Refused(f"{type(value).__name__.lower()}(…) cannot become {name}")
    if name == "json_str":
        return _json(value)
    if isinstance(value, list):
        return [_cast(name, item) for item in value]
    if isinstance(value, dict):
        return {key: _cast(name, item) for key, item in value.items()}
    return _cast_one(name, plain_value(value))


def _cast_one(name: str, value: Any) -> Any:
    try:
        if value is None and name != "bool":
            raise ValueError
        if name == "str":
            return str(value).lower() if isinstance(value, bool) else str(value)
        if name == "bool" and isinstance(value, str):
            return {"true": True, "false": False}[value.lower()]
        return {"int": int, "float": float, "bool": bool}[name](value)
    except (ValueError, OverflowError, KeyError):
        raise Refused(f"{write_value(value)} cannot become {name}") from None


def _json(value: Any) -> str:
    import json

    return json.dumps(plain_value(value))


# --- sweeps -----------------------------------------------------------------------------------------------------------


def _no_sweeps(name: str, values: list[Any]) -> list[Any]:
    for value in values:
        if isinstance(value, (*SWEEPS, Extension)):
            raise Refused(f"{name} takes values, found {type(value).__name__.lower()}(…)")
    return values


def _choice(args: list[Any]) -> Choice:
    if len(args) == 1 and isinstance(args[0], Choice) and args[0].simple:
        return Choice(args[0].values, args[0].tags)
    if not args:
        raise Refused("choice needs a value")
    return Choice(_no_sweeps("choice", args))


def _number(name: str, value: Any) -> Any:
    found = plain_value(value)
    if isinstance(found, bool) or not isinstance(found, int | float):
        shown = type(value).__name__.lower() + "(…)" if isinstance(value, SWEEPS) else write_value(value)
        raise Refused(f"{name} takes numbers, found {shown}")
    return found


def _range(start: Any, stop: Any = None, step: Any = 1) -> Range:
    if stop is None:
        start, stop = 0, start
    return Range(*(_number("range", value) for value in (start, stop, step)))


def _interval(start: Any, end: Any, log: Any = False) -> Interval:
    is_log = plain_value(log)
    if not isinstance(is_log, bool):
        raise Refused("log is true or false")
    low, high = float(_number("interval", start)), float(_number("interval", end))
    if not low < high:
        raise Refused(f"interval holds nothing: {low} is not below {high}")
    return Interval(low, high, frozenset(["log"] if is_log else []))


def _patterns(value: Any) -> list[str]:
    found = plain_value(value)
    found = found if isinstance(found, list) else [] if found is None else [found]
    if not all(isinstance(pattern, str) for pattern in found):
        raise Refused("glob takes patterns, as in glob([a*,b*], exclude=*_old)")
    return found


def _glob(include: Any, exclude: Any = None) -> Glob:
    return Glob(_patterns(include), _patterns(exclude))


def _tag(args: list[Any], sweep: Any = None) -> Any:
    *tags, swept = [*args, sweep] if sweep is not None or not args else args
    if not isinstance(swept, SWEEPS):
        raise Refused("the last that tag takes is a sweep, as in tag(mine, choice(a,b))")
    names = [plain_value(tag) for tag in tags]
    if not all(isinstance(name, str) for name in names):
        raise Refused("tags are texts")
    if isinstance(swept, Choice):
        return Choice(swept.values, frozenset(names))
    if isinstance(swept, Range):
        return Range(swept.start, swept.stop, swept.step, frozenset(names))
    if isinstance(swept, Interval):
        return Interval(swept.start, swept.end, frozenset(names))
    return Glob(swept.include, swept.exclude, frozenset(names))


# --- order ------------------------------------------------------------------------------------------------------------


def _what_has_order(name: str, args: list[Any], sweep: Any, given: Any) -> Any:
    args = [*args, *(value for value in (sweep, given) if value is not None)]
    if not args:
        raise Refused(f"{name} needs a value")
    if len(args) == 1 and isinstance(args[0], Interval | Glob | Extension):
        raise Refused(f"{type(args[0]).__name__.lower()}(…) has no order")
    return args[0] if len(args) == 1 else Choice(_no_sweeps(name, args), simple=True)


def _sort(args: list[Any], sweep: Any = None, list: Any = None, reverse: Any = False) -> Any:
    found = _what_has_order("sort", args, sweep, list)
    down = plain_value(reverse)
    if not isinstance(down, bool):
        raise Refused("reverse is true or false")
    if isinstance(found, Range):
        return found.reversed() if (found.step < 0) is not down else found
    if isinstance(found, Choice):
        return Choice(_sorted(found.values, down), found.tags, simple=found.simple)
    return _sorted(found, down) if type(found) is _LIST else found


_LIST = list


def _sorted(values: Sequence[Any], down: bool) -> list[Any]:
    try:
        return sorted(values, key=plain_value, reverse=down)
    except TypeError:
        raise Refused("sort cannot tell which of these comes first") from None


def _shuffle(args: list[Any], sweep: Any = None, list: Any = None) -> Any:
    found = _what_has_order("shuffle", args, sweep, list)
    if isinstance(found, Choice | Range):
        values = found.values if isinstance(found, Choice) else found
        return Choice(_shuffled(values), found.tags, simple=isinstance(found, Choice) and found.simple)
    return _shuffled(found) if type(found) is _LIST else [found]


def _shuffled(values: Sequence[Any]) -> list[Any]:
    """In an order that looks like chance and is the same for the same values, so that a sweep can go on."""
    import random

    if len(values) > _MOST_SHUFFLED:
        raise Refused(f"shuffle takes at most {_MOST_SHUFFLED} values, found {len(values)}")
    made = [*values]
    random.Random(write_value(made)).shuffle(made)  # noqa: S311  (no secret)
    return made


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[str, ...], bool]] = {
    **{name: (_caster(name), ("value",), True) for name in ("int", "float", "str", "bool", "json_str")},
    "choice": (_choice, (), True),
    "range": (_range, ("start", "stop", "step"), False),
    "interval": (_interval, ("start", "end", "log"), False),
    "glob": (_glob, ("include", "exclude"), False),
    "tag": (_tag, ("sweep",), True),
    "sort": (_sort, ("sweep", "list", "reverse"), True),
    "shuffle": (_shuffle, ("sweep", "list"), True),
    "extend_list": (lambda args: Extension(_no_sweeps("extend_list", args)), (), True),
}
"""What each calls, the names of what it takes, and whether it takes any number of values."""
