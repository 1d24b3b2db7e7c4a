"""What a callable takes: names, order, defaults and annotations, read once a callable."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

EMPTY = object()
"""Stands for "no default" and "no annotation"."""


class Parameter:
    """One parameter; `default` and `annotation` are `EMPTY` where there is none."""

    __slots__ = ("annotation", "default", "name")

    def __init__(self, name: str, default: Any, annotation: Any) -> None:
        self.name = name
        self.default = default
        self.annotation = annotation


class Signature:
    """The parameters of a callable.

    Attributes:
        slots: Parameters that take positional arguments, in order.
        named: Parameters that can be given by name.
        required: Names that have no default.
        more_positional: The name behind `*`, or "".
        more_named: The name behind `**`, or "".
        text: The parameters as they were written.
    """

    __slots__ = ("more_named", "more_positional", "named", "required", "slots", "target", "text")

    def __init__(self, target: Callable[..., Any], parameters: Iterable[Any], text: str) -> None:
        self.target = target
        self.text = text
        self.slots: list[Parameter] = []
        self.named: dict[str, Parameter] = {}
        self.more_positional = self.more_named = ""
        required = []
        for p in parameters:
            default = EMPTY if p.default is p.empty else p.default
            parameter = Parameter(p.name, default, EMPTY if p.annotation is p.empty else p.annotation)
            if p.kind == p.VAR_POSITIONAL:
                self.more_positional = p.name
                continue
            if p.kind == p.VAR_KEYWORD:
                self.more_named = p.name
                continue
            if p.kind != p.KEYWORD_ONLY:
                self.slots.append(parameter)
            if p.kind != p.POSITIONAL_ONLY:
                self.named[p.name] = parameter
            if default is EMPTY:
                required.append(p.name)
        self.required = frozenset(required)

    def unknown(self, names: Iterable[str]) -> list[str]:
        """The names that the callable does not take."""
        if self.more_named:
            return []
        return [name for name in names if name not in self.named]

    def slot_of(self, name: str) -> int | None:
        """The position that a name reaches, None where it can be given only by name."""
        if name in self.named:
            for n, parameter in enumerate(self.slots):
                if parameter.name == name:
                    return n
        return None

    def missing(self, positional: int, names: Iterable[str]) -> list[str]:
        """The required parameters that are not given."""
        if not self.required:
            return []
        filled = {parameter.name for parameter in self.slots[:positional]}
        filled.update(name for name in names if name in self.named)
        given = [p.name for p in self.slots if p.name in self.required and p.name not in filled]
        return given + [name for name in self.named if name in self.required and name not in {*filled, *given}]

    def parameter(self, key: str | int) -> Parameter | None:
        """The parameter that a name or a position fills, None behind `*` and `**`."""
        if isinstance(key, int):
            return self.slots[key] if key < len(self.slots) else None
        return self.named.get(key)

    def hints(self) -> dict[str, Any]:
        """Annotations by name, read from their texts; what cannot be read is left out."""
        from typing import get_type_hints

        found = {p.name: p.annotation for p in (*self.slots, *self.named.values()) if p.annotation is not EMPTY}
        if any(isinstance(annotation, str) for annotation in found.values()):
            target = getattr(self.target, "__origin__", self.target)
            owner = vars(target).get("__init__", target) if isinstance(target, type) else target
            try:
                found.update({k: v for k, v in get_type_hints(owner).items() if k in found})
            except (NameError, TypeError, AttributeError, SyntaxError):
                # A name that only a type checker knows: its parameter counts as not annotated.
                found = {k: v for k, v in found.items() if not isinstance(v, str)}
        return found


_read: dict[Any, Signature | None] = {}  # a memo: losing it costs time, never an answer
_MEMO_LIMIT = 4096


def signature_of(target: Any) -> Signature | None:
    """What a callable takes, or None where Python cannot tell (some builtins).

    >>> signature_of(sorted).unknown(["key", "kee"])
    ['kee']
    """
    try:
        return _read[target]
    except KeyError:
        pass
    except TypeError:  # unhashable: a callable instance
        return _inspect(target)
    if len(_read) >= _MEMO_LIMIT:
        _read.clear()
    found = _read[target] = _inspect(target)
    return found


def _inspect(target: Any) -> Signature | None:
    import inspect

    origin = getattr(target, "__origin__", None)
    callee = origin if isinstance(origin, type) else target
    try:
        signature = inspect.signature(callee)
    except (ValueError, TypeError):
        return None
    parameters = list(signature.parameters.values())
    texts = [_parameter_text(p, inspect) for p in parameters]
    kinds = [p.kind for p in parameters]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        texts.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    if inspect.Parameter.POSITIONAL_ONLY in kinds:
        texts.insert(kinds.count(inspect.Parameter.POSITIONAL_ONLY), "/")
    return Signature(target, parameters, ", ".join(texts))


def _parameter_text(p: Any, inspect: Any) -> str:
    stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
    text = f"{stars}{p.name}"
    annotated = p.annotation is not p.empty
    if annotated:
        text += ": " + (p.annotation if isinstance(p.annotation, str) else inspect.formatannotation(p.annotation))
    if p.default is not p.empty:
        default = repr(p.default)
        text += (" = " if annotated else "=") + (default if len(default) <= 40 else "...")
    return text
