"""References: a value that is found, or an object that is made, elsewhere in the spec."""

from __future__ import annotations

from ._equal import equal
from ._layout import layout
from ._path import format_path, parse_path
from ._tree import KINDS, Kind, kind_of
from .errors import CycleError, Fault, PathError, ReferenceUseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._trust import Policy

    Step = tuple[str, tuple[Any, ...]]
    """What is done to the referenced thing: "attr", "item", "call", or a binary operator with its operand."""

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
}


class Ref:
    """A reference and what is done to it: `ref(model).parameters()`, `ref("train.steps") // 10`, `"run-${seed}"`.

    Inside the text is a path in the spec; after `ref(...)` stands Python on what is built.
    """

    __slots__ = ("__base__", "__policy__", "__root__", "__steps__", "__weakref__")

    __base__: Any  # a node, a tuple of path steps, or a Template
    __policy__: Policy | None  # asked before a call that data wrote down is made
    __root__: Any
    __steps__: tuple[Step, ...]

    def __init__(self, base: Any, steps: tuple[Step, ...] = (), root: Any = None, policy: Policy | None = None) -> None:
        _set(self, "__base__", base)
        _set(self, "__steps__", steps)
        _set(self, "__root__", root)
        _set(self, "__policy__", policy)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            return object.__getattribute__(self, name)
        return _then(self, "attr", name)

    def __getitem__(self, key: Any) -> Ref:
        return _then(self, "item", key)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Ref:
        return _then(self, "call", args, kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        raise _misuse(self, f"cannot set .{name} on a reference", "set it on the node that the reference leads to")

    def __bool__(self) -> bool:
        raise _misuse(
            self, "has no truth value before it is built", "compare what it leads to, or move the test into the target"
        )

    def __iter__(self) -> Any:
        raise _misuse(self, "cannot be iterated before it is built", "pass it whole, and iterate in the target")

    def __lt__(self, other: object) -> bool:
        raise _misuse(self, "cannot be ordered before it is built", "compare in the target")

    __le__ = __gt__ = __ge__ = __lt__

    def __format__(self, form: str) -> str:
        raise _misuse(self, "cannot be formatted before it is built", 'write the text as a reference: "run-${seed}"')

    def __repr__(self) -> str:
        return ref_text(self)

    def __eq__(self, other: object) -> bool:
        return equal(self, other)

    def __reduce__(self) -> tuple[Any, ...]:
        # The rest is state, which is read after the object is there: what it leads to may lead back to it.
        return Ref, ((),), (self.__base__, self.__steps__, self.__root__, self.__policy__)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for slot, value in zip(("__base__", "__steps__", "__root__", "__policy__"), state, strict=True):
            _set(self, slot, value)

    __hash__ = None  # type: ignore[assignment]


def _arithmetic(sign: str) -> tuple[Any, Any]:
    def forward(self: Ref, other: Any) -> Ref:
        return _then(self, sign, other, False)

    def backward(self: Ref, other: Any) -> Ref:
        return _then(self, sign, other, True)

    return forward, backward


for _sign, _method in {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "truediv",
    "//": "floordiv",
    "%": "mod",
    "**": "pow",
}.items():
    for _prefix, _function in zip(("", "r"), _arithmetic(_sign), strict=True):
        setattr(Ref, f"__{_prefix}{_method}__", _function)


class Template:
    r"""A text with references inside: `"run-${seed}"`. A `\${` in it is a literal `${`."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[str | Ref, ...]) -> None:
        self.parts = parts


_set = object.__setattr__


def _then(ref: Ref, *step: Any) -> Ref:
    return Ref(ref.__base__, (*ref.__steps__, (step[0], step[1:])), ref.__root__, ref.__policy__)


def _misuse(ref: Ref, problem: str, advice: str) -> ReferenceUseError:
    return ReferenceUseError(Fault("", f"the reference {ref_text(ref)} {problem}", advice=[advice]))


def parse_text(text: str) -> Ref:
    """Read a text that holds `${`: a whole reference, or a template.

    Raises:
        PathError: A `${` is not closed, or what stands in it is not a path.
    """
    parts: list[str | Ref] = []
    at, plain = 0, ""
    while True:
        start = text.find("${", at)
        if start < 0:
            plain += text[at:]
            break
        if start and text[start - 1] == "\\":
            plain += text[at : start - 1] + "${"
            at = start + 2
            continue
        plain += text[at:start]
        end = text.find("}", start)
        if end < 0:
            raise PathError(
                Fault(
                    "",
                    f"{text!r} opens a reference that is not closed at column {start + 1}",
                    advice=[r"write \${ for a literal ${"],
                )
            )
        if plain:
            parts.append(plain)
            plain = ""
        parts.append(Ref(_reference_path(text, text[start + 2 : end])))
        at = end + 1
    if plain:
        parts.append(plain)
    if len(parts) == 1 and isinstance(parts[0], Ref):
        return parts[0]
    return Ref(Template(tuple(parts)))


def _reference_path(text: str, inner: str) -> tuple[Any, ...]:
    if ":" in inner or inner.startswith("."):
        raise PathError(
            Fault(
                "",
                f"{text!r} holds a reference of a form that is not known: ${{{inner}}}",
                advice=[r"known are paths from the root, as ${model.width}; a literal ${ is written \${"],
            )
        )
    return parse_path(inner)


def ref(target: Any) -> Any:
    """A reference to a node, or to a place in the spec.

    Args:
        target: A node (`ref(model)`), or the path of a value as text (`ref("train.steps")`).

    Returns:
        A `Ref`; attributes, items, calls and arithmetic on it are done when it is built.

    Raises:
        PathError: The text is not a path.
        ReferenceUseError: The value is neither a text nor a node.

    >>> ref("train.steps") // 10
    ref("train.steps") // 10
    """
    if isinstance(target, str):
        return Ref(parse_path(target))
    if type(target) is Ref:
        return target
    if kind_of(type(target)) is None:
        raise ReferenceUseError(
            Fault(
                "",
                f"cannot refer to {target!r}: it is no node",
                advice=['refer to a call, a dataclass, or a path: ref("a.b")'],
            )
        )
    if hasattr(type(target), "__held__"):
        _set(target, "__held__", 2)
    return Ref(target)


def ref_text(ref: Ref) -> str:
    """A reference as code."""
    base = ref.__base__
    if type(base) is Template:
        return repr(template_text(base))
    text = f'ref("{format_path(base)}")' if type(base) is tuple else f"ref({layout(base, width=10_000)})"
    return text + steps_text(ref.__steps__)


def steps_text(steps: tuple[Step, ...]) -> str:
    """What is done to a reference, as code."""
    text = ""
    for kind, data in steps:
        if kind == "attr":
            text += f".{data[0]}"
        elif kind == "item":
            text += f"[{data[0]!r}]"
        elif kind == "call":
            text += f"({', '.join([*map(repr, data[0]), *(f'{k}={v!r}' for k, v in data[1].items())])})"
        else:
            text += f" {kind} {data[0]!r}"
    return text


def template_text(template: Template) -> str:
    """A template as it is written."""
    return "".join(
        part.replace("${", "\\${") if isinstance(part, str) else "${" + format_path(part.__base__) + "}"
        for part in template.parts
    )


def bind(ref: Ref, root_of: Callable[[Any], Any]) -> None:
    """Bind a reference, and those inside its text, to the root that `root_of` gives for the one it has."""
    _set(ref, "__root__", root_of(ref.__root__))
    if type(ref.__base__) is Template:
        for part in ref.__base__.parts:
            if type(part) is Ref:
                bind(part, root_of)


def moved(ref: Ref, root_of: Callable[[Any], Any]) -> None:
    """Lead a reference that was just made, and those inside its text, to what `root_of` gives for what they lead to."""
    base = ref.__base__
    _set(ref, "__root__", root_of(ref.__root__))
    if type(base) is Template:  # those inside are held by the original's text too
        inner = [Ref(p.__base__, p.__steps__, p.__root__, p.__policy__) if type(p) is Ref else p for p in base.parts]
        for part in inner:
            if type(part) is Ref:
                moved(part, root_of)
        _set(ref, "__base__", Template(tuple(inner)))
    elif type(base) is not tuple:
        _set(ref, "__base__", root_of(base))


def depends_on_run(ref: Ref) -> bool:
    """Whether a reference asks for what only a run knows (`${run.dir}`)."""
    base = ref.__base__
    if type(base) is Template:
        return any(depends_on_run(part) for part in base.parts if isinstance(part, Ref))
    return type(base) is tuple and len(base) == 2 and base[0] == "run" and base[1] in RUN_NAMES


RUN_NAMES = ("dir", "id", "index", "attempt")
"""What `${run.…}` can ask for."""


def apply_steps(value: Any, steps: tuple[Step, ...], policy: Policy | None = None) -> Any:
    """Do to a built value what was done to its reference.

    Raises:
        TrustError: The reference came from data, and no policy allows what it would fetch or call.
    """
    holder: Any = None
    for kind, data in steps:
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
                policy.judge_call(value, holder)
            holder, value = None, value(*data[0], **data[1])
        else:
            operand, reflected = data
            value = _OPERATORS[kind](operand, value) if reflected else _OPERATORS[kind](value, operand)
    return value


def follow(
    root: Any, steps: tuple[Any, ...], get: Callable[[Any, Any], Any], *, ends: dict[int, Any] | None = None
) -> Any:
    """The raw value at a path; references on the way and at the end are followed, in any number.

    Args:
        root: Where the path starts.
        steps: The path.
        get: Gives the raw value under one step; raises `LookupError`.
        ends: Where references lead, by `id`, known from earlier calls for the
            same root; it is added to, so that a long chain is walked once.

    Raises:
        LookupError: There is nothing at the path.
        CycleError: The way leads back to itself.
    """
    wanted, value = list(reversed(steps)), root
    passed: set[int] = set()
    tail: list[int] = []  # references after which nothing is wanted any more
    while True:
        if ends and type(value) is Ref and id(value) in ends:
            value = ends[id(value)]
        elif type(value) is Ref and type(value.__base__) is tuple and not value.__steps__ and not depends_on_run(value):
            if id(value) in passed:
                raise CycleError(
                    Fault(format_path(steps), f"is a reference that leads back to itself: {ref_text(value)}")
                )
            passed.add(id(value))
            if not wanted:
                tail.append(id(value))
            wanted += reversed(value.__base__)
            value = root
        elif (
            type(value) is Ref
            and type(value.__base__) is not tuple
            and not value.__steps__
            and type(value.__base__) is not Template
        ):
            value = value.__base__
        elif not wanted:
            if ends is not None:
                ends.update(dict.fromkeys(tail, value))
            return value
        else:
            value = get(value, wanted.pop())


def _ref_items(ref: Ref) -> tuple[list[Any], list[Any]]:
    """The node that a reference leads to, and the arguments of what is called on it."""
    keys: list[Any] = []
    values: list[Any] = []
    if type(ref.__base__) not in (tuple, Template):
        keys.append("ref")
        values.append(ref.__base__)
    for n, (kind, data) in enumerate(ref.__steps__):
        if kind == "attr":
            continue
        given = [*data[0], *data[1].values()] if kind == "call" else [data[0]]
        keys += [f"then{n}.{m}" for m in range(len(given))]
        values += given
    return keys, values


def operands_of(steps: tuple[Step, ...]) -> list[Any]:
    """What is handed to the steps of a reference: arguments, keys and operands, in order."""
    return [
        v
        for kind, data in steps
        if kind != "attr"
        for v in ([*data[0], *data[1].values()] if kind == "call" else [data[0]])
    ]


def with_operands(steps: tuple[Step, ...], values: list[Any]) -> tuple[Step, ...]:
    """The steps of a reference with what is handed to them replaced, in order."""
    at = iter(values)
    out: list[Step] = []
    for kind, data in steps:
        if kind == "attr":
            out.append((kind, data))
        elif kind == "call":
            out.append((kind, (tuple([next(at) for _ in data[0]]), {k: next(at) for k in data[1]})))
        else:
            out.append((kind, (next(at), *data[1:])))
    return tuple(out)


def _ref_remake(ref: Ref, keys: list[Any], values: list[Any]) -> Ref:
    by_node = keys[:1] == ["ref"]
    base = values[0] if by_node else ref.__base__
    return Ref(base, with_operands(ref.__steps__, values[by_node:]), ref.__root__, ref.__policy__)


def operand_items(ref: Ref) -> tuple[list[Any], list[Any]]:
    """As items only what is handed to the operations of a reference, not what it leads to."""
    operands = operands_of(ref.__steps__)
    return [f"then{n}" for n in range(len(operands))], operands


def remake_operands(ref: Ref, keys: list[Any], values: list[Any]) -> Ref:
    """A reference like another, with other operands."""
    return Ref(ref.__base__, with_operands(ref.__steps__, values), ref.__root__, ref.__policy__)


def _ref_head(ref: Ref) -> Any:
    base = ref.__base__
    place = template_text(base) if type(base) is Template else (format_path(base) if type(base) is tuple else "")
    shape = tuple(
        (kind, data[0] if kind == "attr" else (len(data[0]), *data[1]) if kind == "call" else data[1:])
        for kind, data in ref.__steps__
    )
    return repr((place, shape))


def _ref_form(ref: Ref, keys: list[Any]) -> tuple[str, list[str], str]:
    if keys[:1] == ["ref"] and len(keys) == 1:
        return "ref(", [""], ")" + steps_text(ref.__steps__)
    return ref_text(ref), [], ""


KINDS[Ref] = Kind(_ref_items, _ref_remake, family="ref", head=_ref_head, form=_ref_form)
