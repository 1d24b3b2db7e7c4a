"""What a spec is as a dict: read in either style of keys, and written in either."""

from __future__ import annotations

from callsheet._target import TargetError, name_of, parse_name
from callsheet.errors import Fault, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RETURN_TYPES = ("partial", "called")
_MARKS = ("__dense_spec__", "__config_spec__")
_CODE = frozenset(("_target_", "args", "kwargs", "_return_type_", "_recursive_"))
_DOCUMENTED = _CODE.union(_MARKS, ("target", "called"))


class FormError(SpecError, ValueError):
    """Something is no spec, or cannot be one: a dict that is malformed, a callable without a name."""


class Form:
    """What a spec says.

    Attributes:
        target: `module:qualname`; of a partial the function itself.
        args: Positional arguments.
        kwargs: Named arguments.
        return_type: Whether it gives a function that waits ("partial") or is called ("called").
        recursive: Whether specs among its arguments are instantiated with it.
    """

    __slots__ = ("args", "kwargs", "recursive", "return_type", "target")

    def __init__(
        self,
        target: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        return_type: str = "partial",
        recursive: bool = True,
    ) -> None:
        self.target = target
        self.args = args
        self.kwargs = kwargs or {}
        self.return_type = return_type
        self.recursive = recursive


def is_form(x: Any) -> bool:
    """Whether a mapping is a spec: by its `_target_`, or by the mark that stands beside a `target`."""
    return "_target_" in x or any(mark in x and x[mark] is True for mark in _MARKS)


def target_key(x: Any) -> str:
    """The key of a spec's dict under which its target stands."""
    return "_target_" if "_target_" in x else "target"


def read_form(x: Any) -> Form:
    """What a mapping that is a spec says, in either style of keys.

    Raises:
        FormError: It is malformed.
    """
    said = dict(x.items())
    marks = [mark for mark in _MARKS if said.get(mark) is True]
    for mark in marks:
        del said[mark]
    if marks and "called" in said:
        said.setdefault("_return_type_", RETURN_TYPES[bool(said.pop("called"))])
    if marks and "target" in said:
        said.setdefault("_target_", said.pop("target"))  # one that stands beside it was set later
    if "_target_" not in said:
        raise malformed(f"is marked {marks[0]} and has no target", f"{_WRITE} under  target")
    target, args, kwargs = said.pop("_target_"), said.pop("args", ()), said.pop("kwargs", {})
    return_type, recursive = said.pop("_return_type_", "partial"), said.pop("_recursive_", True)
    if not isinstance(args, list | tuple):
        raise malformed(f"has args that are no list: {args!r}", f"write  args=({args!r},)")
    if not hasattr(kwargs, "items"):
        raise malformed(f"has kwargs that are no dict: {kwargs!r}")
    if return_type not in RETURN_TYPES:
        raise return_type_error(return_type)
    if type(recursive) is not bool:
        raise malformed(f"has a _recursive_ that is neither true nor false: {recursive!r}")
    named = {**dict(kwargs.items()), **said}
    odd = [name for name in named if not isinstance(name, str)]
    if odd:
        raise malformed(f"has the argument {odd[0]!r}, which is no name")
    return Form(_target(target), tuple(args), named, return_type, recursive)


def write_form(form: Form, *, documented: bool) -> dict[str, Any]:
    """A spec as a dict.

    Args:
        form: What it says; its arguments are written already.
        documented: Whether by the keys of config_spec's own document (`target`), or by those of its code (`_target_`).
    """
    taken = _DOCUMENTED if documented else _CODE
    apart = {name: value for name, value in form.kwargs.items() if name in taken}
    said = {
        "target" if documented else "_target_": form.target,
        **({"args": form.args} if form.args else {}),
        **{name: value for name, value in form.kwargs.items() if name not in taken},
        **({"kwargs": apart} if apart else {}),
    }
    if form.return_type == "called":
        said.update({"called": True} if documented else {"_return_type_": "called"})
    if not form.recursive:
        said["_recursive_"] = False
    return {**said, _MARKS[0]: True} if documented else said


def _target(x: Any) -> str:
    if isinstance(x, str):
        try:
            name = parse_name(x)
        except TargetError:
            raise malformed(f"has the target {x!r}, which names no object", _WRITE) from None
        return x if ":" in x else name.text
    if callable(x) and not hasattr(x, "items"):
        return name_text(x)
    raise malformed(f"has a target that is no name: {x!r}", _WRITE)


_WRITE = 'write  "package.module:function"'


def name_text(function: Any) -> str:
    """The name under which a callable is found again: `module:qualname`.

    Raises:
        FormError: It has none.
    """
    name = name_of(function)
    if name is None:
        raise malformed(*_nameless(function))
    return f"__main__:{name.qualname}" if getattr(function, "__module__", None) == "__main__" else name.text


def _nameless(function: Any) -> tuple[str, str]:
    qualname = getattr(function, "__qualname__", "")
    if qualname.endswith("<lambda>"):
        return (
            "is a lambda, which no name leads to",
            "define it with  def  at the top level of a module, or write  functools.partial(...)  of such a function",
        )
    if "<locals>" in qualname:
        return f"is {qualname}, which no name leads to", "define it at the top level of a module"
    if qualname and getattr(function, "__self__", None) is not None:
        return f"is {qualname} of one object, which no name leads to", "give the function of the class, or a module's"
    shown = repr(function)
    shown = shown if len(shown) <= 60 and "\n" not in shown else f"a {type(function).__qualname__}"
    if qualname:
        return f"is {shown}, and {qualname} of its module is something else", "give it the name that it is found under"
    made = type(function).__name__
    return f"is {shown}, an object that no name leads to", f"say how it is made:  Spec({made}, ...)()"


def return_type_error(found: Any) -> FormError:
    """The error of a `_return_type_` that is none."""
    return malformed(f"has the _return_type_ {found!r}", f"it is  {' or '.join(map(repr, RETURN_TYPES))}")


def malformed(problem: str, *advice: str) -> FormError:
    """The error of a spec, as a phrase without its subject."""
    return FormError(Fault("", SUBJECT + problem, advice=advice))


SUBJECT = "the spec "
"""What a problem is said of, where no path says it."""
