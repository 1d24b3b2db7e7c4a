"""`main`: a function whose parameters, typed as `path=value`, make it a program."""

from __future__ import annotations

import os
import sys

import callsheet

from ._about import read_docstring
from ._bind import bind_all
from ._candidates import candidates, classes_for, has_parts
from ._fields import asked_beyond_fields, field_items, has_fields, taken_by
from ._guide import guide
from ._holder import holder_of
from ._items import origin_of, settle_step
from ._layout import layout
from ._note import place_noted
from ._origin import Origin
from ._override import apply
from ._page import page, wrap
from ._said import parse_all
from ._shells import answer, question
from ._signature import EMPTY, signature_of
from ._spec import Call, attach, copy, new_call, new_mapping, note_origin, set_item
from ._swap import Surroundings
from ._terminal import announce, columns, hush, painter, say
from ._tree import kind_of
from ._word import Word
from .errors import Fault, OverrideError, SpecError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, NoReturn, ParamSpec, Protocol, TypeVar

    from ._grammar import Override
    from ._shells import Question
    from ._signature import Parameter, Signature

    P = ParamSpec("P")
    R_co = TypeVar("R_co", covariant=True)

    class Program(Protocol[P, R_co]):
        """A function that can be called as before, and that knows how to read the command line."""

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
            """Call the function."""
            ...

        def main(self, argv: Sequence[str] | None = None) -> R_co:
            """Read the command line and call the function."""
            ...


COMMAND_LINE = "command line"
_DEFAULT = Origin("default", "default")


def main(function: Callable[P, R_co]) -> Program[P, R_co]:
    """Make a function a program: `python train.py model.depth=34 --help`.

    What the function takes is typed as `path=value`, in the grammar of
    `override`. A single parameter that is declared as a dataclass, an attrs
    class, a `NamedTuple` or a `Config` is what the paths start in; of several
    parameters each has its name, and leads on into such classes. Values become
    the declared types; a `Config` arrives as a config, to be built by whoever
    wants what it describes.

    Args:
        function: Any function; it can still be called, pickled and described as before.

    Returns:
        The function itself, which has a `main(argv=None)` now: it reads
        `sys.argv` (or a text, or several), calls the function and gives what that
        returns. What is wrong with the command line is told all together on
        standard error, and ends the program with `SystemExit(2)`, also the
        `ValueError` of a constructor or validator; exceptions of the function
        are not touched.

    Raises:
        TypeError: It is no function.

    >>> @main
    ... def train(lr: float = 0.1, steps: int = 10) -> float:
    ...     return lr * steps
    >>> train.main(["steps=3", "lr=1"]), train(0.5)
    (3.0, 5.0)
    """
    if not hasattr(function, "__code__"):
        raise TypeError(f"main turns a function into a program, found {function!r}")
    program: Any = function
    program.main = lambda argv=None: _run(function, _words(argv))
    return program  # type: ignore[no-any-return]


def _words(argv: Sequence[str] | None) -> list[str]:
    if argv is None:
        return sys.argv[1:]
    return [argv] if isinstance(argv, str) else list(argv)


def _run(function: Any, words: list[str]) -> Any:
    root = program_spec(function)
    asked = question()
    if asked is not None:
        _complete(asked, function, root)
    if "--help" in words or "-h" in words:
        _help(function, root, [word for word in words if word not in ("--help", "-h")])
    faults = [*impose(root, words, function.__globals__)]
    try:
        callsheet.check(root)
    except SpecError as error:
        told = {fault.path for fault in faults}
        faults += [fault for fault in error.faults if fault.path not in told]
    if faults:
        _refuse(function, faults)
    if object.__getattribute__(root, "__target__") is not function:
        return function(_built(function, root, root))
    items = object.__getattribute__(root, "__dict__")
    return function(**_built(function, new_mapping(dict(items)), root))


def _refuse(function: Any, faults: Sequence[Fault]) -> NoReturn:
    announce(faults, name=script_name(), outcome=f"{function.__name__} was not called")
    raise SystemExit(2)


def _built(function: Any, spec: Any, root: Any) -> Any:
    """What a function receives; a `ValueError` of a constructor or validator is about what was typed."""
    try:
        return callsheet.build(spec, root=root)
    except ValueError as error:
        cls = type(error)
        if cls is not ValueError and cls.__module__.partition(".")[0] not in ("pydantic", "pydantic_core"):
            raise  # of what a constructor has called: that wants its traceback
        path, _ = place_noted(error)
        at = dict(callsheet.walk(root)).get(path, root)
        _refuse(function, [Fault(path, str(error) or type(error).__name__, advice=[layout(at)])])


def _help(function: Any, root: Any, words: list[str]) -> NoReturn:
    """Print what the program takes, with what was typed so far; what is wrong with that comes after it."""
    faults = impose(root, words, function.__globals__)
    script = script_name()
    told = read_docstring(function.__doc__).summary
    sections = guide(root)
    if object.__getattribute__(root, "__target__") is function:
        sections[0].label = sections[0].summary = ""
    width = columns()
    usage = f"usage: {f'python {script}' if script.endswith('.py') else script} [PATH=VALUE]..."
    summary = ["\n".join(wrap(told, width))] if told else []
    try:
        say("\n\n".join((usage, *summary, page(sections, width=width, paint=painter()))))
    except BrokenPipeError:
        hush()
    if faults:
        announce(faults, name=script_name())
    raise SystemExit(2 if faults else 0)


def _complete(asked: Question, function: Any, root: Any) -> NoReturn:
    """Answer a shell that wants to know how the last word may go on."""
    *before, word = asked.words
    impose(root, before, function.__globals__)
    if word.startswith("-"):
        found = [(option, "") for option in OPTIONS if option.startswith(word)]
    else:
        found = candidates(root, word)
    answer(asked, found)
    raise SystemExit(0)


def script_name() -> str:
    """The program, as it was started."""
    return os.path.basename(sys.argv[0]) or "main"


def program_spec(function: Any) -> Any:
    """What a function takes, as a call with all defaults set: of the function, or of its only parameter's class.

    Raises:
        SpecError: A parameter can be given by position only.
    """
    signature = signature_of(function)
    if signature is None:
        raise SpecError(Fault("", f"{function.__qualname__} does not say what it takes"))
    by_position = [p.name for p, kind in signature.parameters if kind == "POSITIONAL_ONLY"]
    if by_position:
        problem = f"{function.__qualname__} takes {', '.join(by_position)} by position only, so that no name reaches it"
        raise SpecError(Fault("", problem, advice=["take away the  /"]))
    parameters = list(signature.named.values())
    cls = _class_of(signature, parameters[0]) if len(signature.parameters) == len(parameters) == 1 else None
    if cls is None:
        root = _call(function, signature, {}, [])
    elif parameters[0].default in (EMPTY, None):
        root = _call_of_class(cls, [])
    else:
        root = _described(copy(parameters[0].default))
    bind_all(root)
    return root


def impose(root: Any, words: Iterable[str], names: dict[str, Any]) -> list[Fault]:
    """Apply what was typed; the faults of all words that cannot be.

    Args:
        root: What `program_spec` gave.
        words: Overrides.
        names: What the program's file binds, for words that name one of that.
    """
    faults: list[Fault] = []
    around = Surroundings(lambda: names)
    for word in words:
        try:
            if word.startswith("--"):
                raise OverrideError(_no_option(word))
            for said in parse_all(word):
                if not _chosen(root, said, names):
                    apply(root, said, where=COMMAND_LINE, around=around)
        except OverrideError as error:
            faults += error.faults
    bind_all(root)
    return faults


def _chosen(root: Any, said: Override, names: dict[str, Any]) -> bool:
    """Put another of the classes that a place declares there, if the word names one; defaults are those of the class.

    Raises:
        OverrideError: It leaves out what was typed before, or names nothing where only a class can stand.
    """
    word = said.choices[0] if said.operation == "set" and not said.below else None
    if not isinstance(word, Word):
        return False
    holder = holder_of(root, said, COMMAND_LINE)
    key = settle_step(holder, said.steps[-1])
    signature = signature_of(object.__getattribute__(holder, "__target__")) if type(holder) is Call else None
    if signature is None:
        return False
    known = classes_for(signature.form(key))
    cls = known.get(word.text)
    before = object.__getattribute__(holder, "__dict__").get(key)
    if cls is None:
        if known and type(before) is Call and word.value == word.text.replace(".", "") and word.text not in names:
            close = [f"did you mean  {said.path}={name}?" for name in nearest(word.text, known)[:1]]
            problem = f"must be one of {', '.join(known)}, found {word.text!r}"
            raise OverrideError(Fault(said.path, problem, origin=COMMAND_LINE, advice=close))
        return False
    kept = _typed_arguments(before)
    taken = signature_of(cls)
    dropped = [name for name in kept if taken is None or name not in taken.named]
    if taken is None or dropped:
        problem = f"{cls.__name__} does not take {', '.join(dropped)}, which was typed before"
        raise OverrideError(Fault(said.path, problem, origin=COMMAND_LINE))
    made = _call(cls, taken, {name: value for name, (value, _) in kept.items()}, [cls])
    for name, (_, origin) in kept.items():
        note_origin(made, name, origin)
    was = (before, origin_of(holder, key)) if type(before) is not Call else None
    set_item(holder, key, made, None, origin=Origin("override", COMMAND_LINE, said.text, was))
    return True


def _typed_arguments(call: Any) -> dict[str, tuple[Any, Origin]]:
    """The arguments of a call that somebody typed, also inside of what was not."""
    if type(call) is not Call:
        return {}
    items = object.__getattribute__(call, "__dict__")
    known = {name: (value, origin_of(call, name)) for name, value in items.items()}
    return {name: pair for name, pair in known.items() if pair[1] is not _DEFAULT or _typed_arguments(pair[0])}


def _no_option(word: str) -> Fault:
    name, equals, _ = word.partition("=")
    close = [] if equals else nearest(name, OPTIONS)
    advice = [f"did you mean  {close[0]}?"] if close else [f"write  {word[2:] if equals else name[2:] + '=…'}"]
    return Fault("", f"there is no option {name}", origin=COMMAND_LINE, advice=advice)


OPTIONS = ("--help",)
"""What a program takes beside `path=value`."""


def _call(target: Any, signature: Signature, given: dict[str, Any], opened: list[Any]) -> Any:
    """A call with what is given, the defaults of the rest, and calls of the classes that are required."""
    arguments: dict[str, Any] = {}
    for name, parameter in signature.named.items():
        value = given.get(name, EMPTY)
        if value is EMPTY:
            value = _default_of(target, parameter)
        cls = _class_of(signature, parameter) if value is EMPTY and parameter.default is EMPTY else None
        if cls is not None and cls not in opened:
            value = _call_of_class(cls, opened)
        if value is not EMPTY and not _reads_as_reference(target, value):
            arguments[name] = attach(_described(copy(value) if kind_of(type(value)) is not None else value))
    made = new_call(Call, target, [], arguments)
    for name in arguments:
        note_origin(made, name, _DEFAULT)
    return made


def _call_of_class(cls: Any, opened: list[Any]) -> Any:
    signature = signature_of(cls)
    return EMPTY if signature is None else _call(cls, signature, {}, [*opened, cls])


def _described(value: Any) -> Any:
    """An instance as the call that makes it, so that its constructor sees what was typed; anything else as it is."""
    cls = type(value)
    signature = signature_of(cls) if has_parts(cls) and not asked_beyond_fields(cls) else None
    if signature is None:
        return value
    names = taken_by(cls)
    fields = zip(*field_items(value), strict=True) if has_fields(cls) else value._asdict().items()
    return _call(cls, signature, {names[key]: item for key, item in fields if key in names}, [cls])


def _class_of(signature: Signature, parameter: Parameter) -> Any:
    """The class with fields that a parameter declares; None where it declares something else."""
    form = signature.form(parameter.name)
    forms = form.parts if form.kind == "union" and parameter.default is None else [form]
    found = [form.of for form in forms if form.kind == "class" and has_parts(form.of)]
    return found[0] if len(found) == 1 else None


def _default_of(target: Any, parameter: Parameter) -> Any:
    """The default of a parameter or field, made where the class has a factory for it; EMPTY for none."""
    fields = getattr(target, "__dataclass_fields__", {})
    factory: Any = getattr(fields.get(parameter.name), "default_factory", None)
    if callable(factory):
        return factory()
    for field in getattr(target, "__attrs_attrs__", ()):
        factory = getattr(field.default, "factory", None)
        if factory is not None and (field.alias or field.name) == parameter.name:
            return EMPTY if field.default.takes_self else factory()
    return parameter.default


def _reads_as_reference(target: Any, value: Any) -> bool:
    """Whether a text would be read as a reference where its class means just a text."""
    return isinstance(value, str) and "${" in value and not hasattr(target, "__callsheet_kind__")
