"""What is done to a referenced thing once it is there: attributes, items, calls, arithmetic."""

from __future__ import annotations

from ._leaf import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._trust import Policy

    Step = tuple[str, tuple[Any, ...]]
    """A kind, and what belongs to it: a name, a key, arguments, an operand and whether it stands at the left."""

BINARY: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "+": ("add", lambda a, b: a + b),
    "-": ("sub", lambda a, b: a - b),
    "*": ("mul", lambda a, b: a * b),
    "/": ("truediv", lambda a, b: a / b),
    "//": ("floordiv", lambda a, b: a // b),
    "%": ("mod", lambda a, b: a % b),
    "**": ("pow", lambda a, b: a**b),
}
"""By its sign: the name of the method, and what it does."""

UNARY: dict[str, Callable[[Any], Any]] = {"neg": lambda a: -a, "pos": lambda a: +a, "abs": abs, "text": str}
"""What needs no operand; "text" makes a value what it is inside a text."""


def apply_steps(value: Any, steps: tuple[Step, ...], policy: Policy | None = None) -> Any:
    """Do to a built value what was done to its reference; what is done to MISSING is missing.

    Raises:
        TrustError: The reference came from data, and no policy allows what it would fetch or call.
    """
    holder: Any = None
    for kind, data in steps:
        if value is MISSING:
            return value
        if kind == "attr":
            holder, value = value, getattr(value, data[0])
            if policy is not None:
                policy.judge_step(value, holder)
        elif kind == "item":
            holder, value = value, value[data[0]]
            if policy is not None:
                policy.judge_step(value, holder)
        elif kind == "call":
            if policy is not None:
                policy.judge_call(value, holder, *data)
            holder, value = None, value(*data[0], **data[1])
        elif kind in UNARY:
            value = UNARY[kind](value)
        elif kind == "round":
            value = round(value) if data[0] is None else round(value, data[0])
        else:
            operand, reflected = data
            function = BINARY[kind][1]
            value = function(operand, value) if reflected else function(value, operand)
    return value


def operands_of(steps: tuple[Step, ...]) -> list[Any]:
    """What is handed to the steps of a reference: arguments, keys and operands, in order."""
    return [x for kind, data in steps for x in _handed(kind, data)]


def operand_labels(steps: tuple[Step, ...]) -> list[str]:
    """For what `operands_of` gives, what stands for its place in a path."""
    labels = []
    for n, (kind, data) in enumerate(steps):
        given = len(_handed(kind, data))
        names = list(data[1]) if kind == "call" else []
        labels += [f"then{n}.{m}" for m in range(given - len(names))] + [f"then{n}.{name}" for name in names]
    return labels


def _handed(kind: str, data: tuple[Any, ...]) -> tuple[Any, ...]:
    if kind == "attr" or not data:
        return ()
    return (*data[0], *data[1].values()) if kind == "call" else data[:1]


def with_operands(steps: tuple[Step, ...], values: list[Any]) -> tuple[Step, ...]:
    """The steps of a reference with what is handed to them replaced, in order."""
    if not values:
        return steps
    at = iter(values)
    out: list[Step] = []
    for kind, data in steps:
        if kind == "attr" or not data:
            out.append((kind, data))
        elif kind == "call":
            out.append((kind, (tuple([next(at) for _ in data[0]]), {k: next(at) for k in data[1]})))
        else:
            out.append((kind, (next(at), *data[1:])))
    return tuple(out)


def step_data(kind: str, data: tuple[Any, ...], operands: Any) -> list[Any]:
    """A step as a file has it.

    Args:
        kind: Of the step.
        data: Its own.
        operands: An iterator of what is handed to it, as a file has that.
    """
    if kind == "attr":
        return [kind, data[0]]
    if kind == "call":
        args = [next(operands) for _ in data[0]]
        return [kind, args, {name: next(operands) for name in data[1]}]
    return [kind, next(operands), *data[1:]] if data else [kind]


def is_step(step: Any) -> bool:
    """Whether this is a step as a file has it."""
    kinds = [type(part) for part in step] if type(step) is list else []
    if kinds[:1] != [str]:
        return False
    if step[0] == "attr":
        return kinds == [str, str]
    if step[0] == "call":
        return kinds == [str, list, dict]
    if step[0] in BINARY:
        return len(step) == 3 and kinds[2] is bool
    return len(step) == 1 if step[0] in UNARY else len(step) == 2 and step[0] in ("item", "round")
