"""References: a value that is found, or an object that is made, elsewhere in the spec."""

from __future__ import annotations

from ._equal import equal
from ._layout import layout
from ._path import format_path
from ._steps import BINARY, operand_labels, operands_of, with_operands
from ._tree import KINDS, Kind, kind_of
from ._unborne import refuse_use
from ._written import WRITTEN, parts_of, with_parts, written
from .errors import Fault, ReferenceUseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._steps import Step
    from ._trust import Policy


class Ref:
    """A reference and what is done to it: `ref(model).parameters()`, `ref("train.steps") // 10`, `"run-${seed}"`.

    Inside the text is a path in the spec; after `ref(...)` stands Python on what is built.
    """

    __slots__ = ("__base__", "__dots__", "__held__", "__policy__", "__root__", "__steps__", "__weakref__")
    __array_ufunc__ = None  # NumPy leaves arithmetic to the reference

    __base__: Any  # a node, a tuple of path steps, a Route, a Template or an Asked
    __dots__: int  # a path that starts where the reference stands has one, and one more for each level up
    __held__: bool  # whether it stands at a place: a further one gets a reference of its own
    __policy__: Policy | None  # asked before a call that data wrote down is made
    __root__: Any  # the container in which a path starts; None as long as it is not bound
    __steps__: tuple[Step, ...]

    def __init__(
        self, base: Any, steps: tuple[Step, ...] = (), root: Any = None, policy: Policy | None = None, dots: int = 0
    ) -> None:
        _set(self, "__base__", base)
        _set(self, "__steps__", steps)
        _set(self, "__root__", root)
        _set(self, "__policy__", policy)
        _set(self, "__dots__", dots)
        _set(self, "__held__", False)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            return object.__getattribute__(self, name)
        return _then(self, "attr", name)

    def __getitem__(self, key: Any) -> Ref:
        return _then(self, "item", key)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Ref:
        return _then(self, "call", args, kwargs)

    def __neg__(self) -> Ref:
        return _then(self, "neg")

    def __pos__(self) -> Ref:
        return _then(self, "pos")

    def __abs__(self) -> Ref:
        return _then(self, "abs")

    def __round__(self, digits: Any = None) -> Ref:
        return _then(self, "round", digits)

    def __text__(self) -> Ref:
        return _then(self, "text")

    def __repr__(self) -> str:
        return ref_text(self)

    def __eq__(self, other: object) -> bool:
        return equal(self, other)

    def __reduce__(self) -> tuple[Any, ...]:
        # The rest is state, which is read after the object is there: what it leads to may lead back to it.
        return Ref, ((),), tuple(getattr(self, slot) for slot in _SLOTS)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for slot, value in zip(_SLOTS, state, strict=True):
            _set(self, slot, value)

    __hash__ = None  # type: ignore[assignment]


_set = object.__setattr__
_SLOTS = ("__base__", "__steps__", "__root__", "__policy__", "__dots__")

# The slots past `__getattribute__`, at a third of the cost.
base_of = vars(Ref)["__base__"].__get__
steps_of = vars(Ref)["__steps__"].__get__
root_of = vars(Ref)["__root__"].__get__
dots_of = vars(Ref)["__dots__"].__get__


def _then(ref: Ref, *step: Any) -> Ref:
    return like(ref, ref.__base__, (*ref.__steps__, (step[0], step[1:])))


def like(ref: Ref, base: Any, steps: tuple[Step, ...]) -> Ref:
    """A reference that is bound like another, with an own base and steps."""
    return Ref(base, steps, ref.__root__, ref.__policy__, ref.__dots__)


def _arithmetic(sign: str) -> tuple[Any, Any]:
    def forward(self: Ref, other: Any) -> Ref:
        return _then(self, sign, other, False)

    def backward(self: Ref, other: Any) -> Ref:
        return _then(self, sign, other, True)

    return forward, backward


for _sign, (_method, _) in BINARY.items():
    for _prefix, _function in zip(("", "r"), _arithmetic(_sign), strict=True):
        setattr(Ref, f"__{_prefix}{_method}__", _function)


def _refusal(problem: str, advice: str) -> Any:
    def refuse(self: Ref, *args: Any) -> Any:
        refuse_use(Ref, ref_text(self))
        shown = problem.replace("NAME", str(args[0])) if args else problem
        raise ReferenceUseError(Fault("", f"the reference {ref_text(self)} {shown}", advice=[advice]))

    return refuse


_ON_NODE = "set it on the node that the reference leads to"
for _names, _problem, _advice in (
    ("bool", "has no truth value before it is built", "compare what it leads to, or move the test into the target"),
    ("iter reversed", "cannot be iterated before it is built", "pass it whole, and iterate in the target"),
    ("contains", "cannot be searched before it is built", "pass it whole, and search in the target"),
    ("len", "has no length before it is built", "pass it whole, and take its length in the target"),
    ("lt le gt ge", "cannot be ordered before it is built", "compare in the target"),
    (
        "and rand or ror xor rxor invert lshift rlshift rshift rrshift matmul rmatmul divmod rdivmod",
        "takes no &, |, ^, ~, <<, >>, @ or divmod before it is built",
        "pass it whole, and do that in the target",
    ),
    ("int float complex index", "is no number before it is built", "pass it whole, and convert it in the target"),
    ("format", "cannot be formatted before it is built", 'write the text as a reference: "run-${seed}"'),
    ("setattr", "cannot set .NAME on a reference", _ON_NODE),
    ("delattr", "cannot delete .NAME of a reference", "delete it from the node that the reference leads to"),
    ("setitem", "cannot set an item of a reference", _ON_NODE),
    ("delitem", "cannot delete an item of a reference", "delete it from the node that the reference leads to"),
):
    for _name in _names.split():
        setattr(Ref, f"__{_name}__", _refusal(_problem, _advice))


class Positions:
    """The positional arguments of a call, as the level that they are for a relative reference."""

    __slots__ = ("call",)

    def __init__(self, call: Any) -> None:
        self.call = call


def moved(ref: Ref, root_of: Callable[[Any], Any]) -> None:
    """Lead a reference that was just made, and those inside its text, to what `root_of` gives for what they lead to."""
    todo = [ref]
    while todo:
        found = todo.pop()
        root = found.__root__
        _set(found, "__held__", True)
        _set(found, "__root__", Positions(root_of(root.call)) if type(root) is Positions else root_of(root))
        base = found.__base__
        if type(base) not in WRITTEN:
            _set(found, "__base__", root_of(base))
        elif type(base) is not tuple and parts_of(base):  # those inside are held by the original's text too
            own = with_parts(base, lambda part: like(part, part.__base__, part.__steps__))
            _set(found, "__base__", own)
            todo += parts_of(own)


def lead(ref: Ref, values: list[Any]) -> None:
    """Give a reference other values for what its kind's items say of it; one to a reference goes on where that leads.

    Raises:
        ReferenceUseError: It would lead to what is no node.
    """
    made = _ref_remake(ref, [], [*values])
    base, steps = made.__base__, made.__steps__
    if type(base) is Ref:
        for name in ("__dots__", "__root__"):
            _set(ref, name, getattr(base, name))
        base, steps = base.__base__, base.__steps__ + steps
    elif type(base) not in WRITTEN and kind_of(type(base)) is None:
        problem = f"is referred to by  {ref_text(ref)}, and {layout(base)} is no node"
        raise ReferenceUseError(Fault("", problem, advice=["override first what holds that reference"]))
    _set(ref, "__base__", base)
    _set(ref, "__steps__", steps)


# --- how it reads as code ---------------------------------------------------------------------------------------------

_LONGEST = 400
"""Columns of what is done to a reference, as code; what is longer is cut."""

_ATOM, _SIGN = 9, 3
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "neg": _SIGN, "pos": _SIGN, "**": 4}
"""How tightly an operator binds."""


def ref_text(ref: Ref) -> str:
    """A reference as code; what is very long is cut."""
    before, after = around(ref.__steps__, [_LONGEST])
    return before + _start_text(ref) + after


def _start_text(ref: Ref) -> str:
    base = ref.__base__
    if type(base) not in WRITTEN:
        return f"ref({layout(base, width=10_000)})"
    if type(base) is tuple:
        return f'ref("{"." * ref.__dots__}{format_path(base)}")'
    text = repr(written(base, ref.__dots__))
    return f"ref({text})" if ref.__steps__ else text


def around(steps: tuple[Step, ...], room: list[int]) -> tuple[str, str]:
    """What stands before and behind a reference, as code, for what is done to it.

    Args:
        steps: What is done.
        room: The columns that may be used, as the only member of a list: they are counted down.
    """
    before, after, level = "", "", _ATOM
    for kind, data in steps:
        if len(before) + len(after) > room[0]:
            return before, after + " ..."
        binds = _BINDS.get(kind, _ATOM)
        reflected = kind in BINARY and data[1]
        if level < (binds + 1 if reflected or kind == "**" else binds) and kind not in _FUNCTIONS:
            before, after = "(" + before, after + ")"
        if kind in BINARY:
            if reflected:
                before = f"{_operand(data[0], binds + (kind == '**'), room)} {kind} {before}"
            else:
                after += f" {kind} {_operand(data[0], binds + 1, room)}"
        elif binds == _SIGN:
            before = ("-" if kind == "neg" else "+") + before
        elif kind in _FUNCTIONS:
            digits = f", {_operand(data[0], 0, room)}" if data and data[0] is not None else ""
            before, after = f"{kind}({before}", f"{after}{digits})"
        else:
            after += _applied(kind, data, room)
        level = binds
    return before, after


_FUNCTIONS = ("abs", "round")


def _applied(kind: str, data: tuple[Any, ...], room: list[int]) -> str:
    if kind == "attr":
        return f".{data[0]}"
    if kind == "text":
        return ".__text__()"
    if kind == "item":
        return f"[{_operand(data[0], 0, room)}]"
    given = [_operand(x, 0, room) for x in data[0]] + [f"{k}={_operand(x, 0, room)}" for k, x in data[1].items()]
    return f"({', '.join(given)})"


def _operand(x: Any, binds: int, room: list[int]) -> str:
    """What is handed to a step, in brackets where it would not hold together otherwise."""
    room[0] -= 4
    if room[0] <= 0:
        return "..."
    level = _ATOM
    if type(x) is Ref:
        before, after = around(x.__steps__, room)
        by_node = type(x.__base__) not in WRITTEN
        text = before + (f"ref({_operand(x.__base__, 0, room)})" if by_node else _start_text(x)) + after
        level = _BINDS.get(x.__steps__[-1][0], _ATOM) if x.__steps__ else _ATOM
    else:
        kind = kind_of(type(x))
        if kind is None or kind.form is None:
            text = layout(x)
            level = _SIGN if text.startswith("-") else _ATOM
        else:
            keys, values = kind.items(x)
            opening, labels, closing = kind.form(x, keys)
            shown = values[len(values) - len(labels) :]
            inner = [label + _operand(value, 0, room) for label, value in zip(labels, shown, strict=True)]
            text = opening + ", ".join(inner) + closing
    room[0] -= len(text)
    return f"({text})" if level < binds else text


# --- as a container ---------------------------------------------------------------------------------------------------


def _ref_items(ref: Ref) -> tuple[list[Any], list[Any]]:
    """What is handed to what is done to it, and the node that it leads to."""
    keys: list[Any] = operand_labels(ref.__steps__)
    values = operands_of(ref.__steps__)
    return (keys, values) if type(ref.__base__) in WRITTEN else ([*keys, "ref"], [*values, ref.__base__])


def _ref_remake(ref: Ref, keys: list[Any], values: list[Any]) -> Ref:
    base = ref.__base__ if type(ref.__base__) in WRITTEN else values.pop()
    return like(ref, base, with_operands(ref.__steps__, values))


def operand_items(ref: Ref) -> tuple[list[Any], list[Any]]:
    """As items only what is handed to the operations of a reference, not what it leads to."""
    return operand_labels(ref.__steps__), operands_of(ref.__steps__)


def remake_operands(ref: Ref, keys: list[Any], values: list[Any]) -> Ref:
    """A reference like another, with other operands."""
    return like(ref, ref.__base__, with_operands(ref.__steps__, values))


def _ref_head(ref: Ref) -> Any:
    base = ref.__base__
    place = written(base, ref.__dots__) if type(base) in WRITTEN else ""
    shape = tuple(
        (kind, data[0] if kind == "attr" else (len(data[0]), *sorted(data[1])) if kind == "call" else data[1:])
        for kind, data in ref.__steps__
    )
    return repr((place, shape))


def _ref_form(ref: Ref, keys: list[Any]) -> tuple[str, list[str], str]:
    if type(ref.__base__) in WRITTEN:
        return ref_text(ref), [], ""
    before, after = around(ref.__steps__, [_LONGEST])
    return before + "ref(", [""], ")" + after


KINDS[Ref] = Kind(_ref_items, _ref_remake, family="ref", head=_ref_head, form=_ref_form)
