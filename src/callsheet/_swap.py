"""What an unquoted word names where a call or dataclass stands: another target, or with `@` a variant."""

from __future__ import annotations

import os

from ._configfile import show_file
from ._items import CALLS, MAPPINGS, label_of, origin_of, raw_item
from ._layout import layout
from ._path import format_path
from ._ref import Ref
from ._said import typed
from ._spec import INSTANCES, note_origin
from ._target import ModuleName, Name, TargetError, extended, name_of, parse_name, resolve
from ._tree import kind_of
from ._wildcard import Takers
from ._word import Word
from .errors import Fault, OverrideError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from typing import Any

    from ._grammar import Override

_raw = object.__getattribute__


class Surroundings:
    """What the words of an override can name beside what it changes.

    Args:
        names: Gives what a file binds to a name, also to those it does not export.
        folder: Where the file lies; "" where there is none.
        read: Gives the spec of another file.
        suffixes: Of the files that it reads.
    """

    def __init__(
        self,
        names: Callable[[], dict[str, Any]],
        folder: str = "",
        read: Callable[[str], Any] | None = None,
        suffixes: Iterable[str] = (),
    ) -> None:
        self._names = names
        self.folder = folder
        self.read = read
        self.suffixes = tuple(suffixes)
        self.takers = Takers()

    def names(self) -> dict[str, Any]:
        """What the file binds."""
        return self._names()


def names_of(root: Any) -> dict[str, Any]:
    """What stands on the first level of a spec, by name."""
    return _raw(root, "__dict__") if type(root) in MAPPINGS else root if type(root) is dict else {}


def is_node(x: Any) -> bool:
    """Whether a call or a dataclass stands here, which a word can swap."""
    kind = kind_of(type(x))
    if type(x) in CALLS:
        return type(x) not in INSTANCES
    return kind is not None and kind.family == "fields"


def names_object(text: str) -> bool:
    """Whether a word can be the name of an object: `SGD`, `torch.optim.SGD`, `torch.optim:SGD`."""
    return all(part.isidentifier() for part in text.replace(":", ".", 1).split("."))


# --- targets ----------------------------------------------------------------------------------------------------------


def target_named(text: str, before: Any, said: Override, around: Surroundings, where: str) -> Any:
    """The target that a word means: of the same module as the one that stands there, else what the file imports.

    Args:
        text: The word.
        before: The call or instance that stands there.
        said: The override.
        around: Where its file's names are.
        where: Who said it.

    Returns:
        A `Name`, or the object itself where the present target was given itself.

    Raises:
        OverrideError: It names nothing that can be called.
        TrustError: It stands beside a target that data named and nobody allows.
    """
    home = _home(before)
    head, dot, rest = text.partition(".")
    known = around.names().get(head)
    found: Any = None
    if dot or ":" in text:
        if dot and isinstance(known, Name | ModuleName):
            found = _there(extended(known, rest, where), around.takers)
        else:
            found = _there(_parsed(text, where), around.takers)
    else:
        found = beside(home, text, where, around.takers)
        if found is None and (type(known) is Name or callable(known)) and kind_of(type(known)) is None:
            found = known
    is_named = type(found) is Name and type(_target(before)) is Name
    made = around.takers.object_of(found) if is_named else resolve(found) if type(found) is Name else found
    if type(made) is not Name and not callable(made):
        raise _no_target(text, home, said, where)
    return found if is_named else made


def _target(node: Any) -> Any:
    return _raw(node, "__target__") if type(node) in CALLS else type(node)


def _home(before: Any) -> Name | None:
    target = _target(before)
    if type(target) is Name:
        return target
    return name_of(target) if _is_object(target) else None


def _is_object(target: Any) -> bool:
    """Whether a target is a callable itself, and no spec that is built into one."""
    return kind_of(type(target)) is None and type(target) is not Ref and callable(target)


def beside(home: Name | None, text: str, where: str, takers: Takers | None = None) -> Name | None:
    """The object of that name in the module of the present target, or in a package above it; `takers` may know it."""
    if home is None:
        return None
    if home.module.endswith(".py"):
        own: Name | None = _there(Name(home.module, text, digest=home.digest, where=where, policy=home.policy), takers)
        return own
    parts = home.module.split(".")
    for n in range(len(parts), 0, -1):
        found: Name | None = _there(Name(".".join(parts[:n]), text, where=where, policy=home.policy), takers)
        if found is not None:
            return found
    return None


def _there(name: Any, takers: Takers | None) -> Any:
    try:
        if type(name) is Name:
            (resolve if takers is None else takers.object_of)(name)
    except TargetError:
        return None
    return name


def _parsed(text: str, where: str) -> Name | None:
    try:
        return parse_name(text, where=where)
    except TargetError:
        return None


def _no_target(text: str, home: Name | None, said: Override, where: str) -> OverrideError:
    as_text = f"{said.path}='{text}'"
    advice = [f"for the text:  {typed(as_text)}"]
    if home is not None and not home.module.endswith(".py") and "." not in text:
        import sys

        close = nearest(text, [name for name in dir(sys.modules.get(home.module)) if not name.startswith("_")])
        advice = [*(f"did you mean  {said.path}={name}?" for name in close[:1]), *advice]
    problem = f"{text!r} names nothing that can be called"
    if home is not None and "." not in text:
        problem += f": {home.module} has none, and the file imports none"
    return OverrideError(Fault(said.path, problem, origin=where, advice=advice))


def same_target(a: Any, b: Any) -> bool:
    """Whether two targets are one, named or given themselves."""
    if a is b:
        return True
    first, second = (x if type(x) is Name else name_of(x) if _is_object(x) else None for x in (a, b))
    return first is not None and first == second


def remade(before: Any, cls: Any, said: Override, where: str) -> tuple[Any, list[str]]:
    """An instance of another class with the fields that both have, and the names of those that are left out.

    Raises:
        OverrideError: The class cannot be made of them.
    """
    kind, other = kind_of(type(before)), kind_of(cls) if isinstance(cls, type) else None
    if kind is None or other is None or other.family != "fields":
        problem = f"{label_of(cls)} is no dataclass, as {type(before).__qualname__} is that stands there"
        raise OverrideError(Fault(said.path, problem, origin=where, advice=["describe it in the file:  lazy(…)(…)"]))
    fields = {name for name, field in getattr(cls, "__dataclass_fields__", {}).items() if field.init}
    fields |= {field.name for field in getattr(cls, "__attrs_attrs__", ()) if field.init}
    values = dict(zip(*kind.items(before), strict=True))
    kept = {name: value for name, value in values.items() if name in fields}
    try:
        made = cls(**kept)
    except TypeError as error:
        problem = f"{cls.__qualname__} cannot be made of {', '.join(kept) or 'nothing'}: {error}"
        raise OverrideError(Fault(said.path, problem, origin=where, advice=["give the whole in the file"])) from None
    for name in kept:
        origin = origin_of(before, name)
        if origin.text:
            note_origin(made, name, origin)
    return made, [name for name in values if name not in fields]


# --- variants ---------------------------------------------------------------------------------------------------------


def variant_word(said: Override) -> str:
    """What stands behind the `@` of `path=@name`; "" where an override says no such thing."""
    word = said.choices[0] if said.choices and not said.happens_once and said.operation != "delete" else None
    return word.text[1:] if type(word) is Word and word.text[:1] == "@" else ""


def variant_named(name: str, root: Any, said: Override, around: Surroundings, where: str) -> Any:
    """What `path=@name` takes: a name of the same file, else a file in the folder of the path, else `file.py:name`.

    Raises:
        OverrideError: There is none; the error lists what there is.
        LoadError: Its file cannot be read.
    """
    own = _own_variant(name, around)
    if own:
        return around.names()[own]
    found = variant_file(name, said, around)
    if found is None or around.read is None:
        raise _no_variant(name, root, said, around, where)
    path, keys = found
    if not os.path.isfile(path):
        advice = [f"relative names start in {show_file(around.folder)}"] if around.folder else []
        raise OverrideError(Fault(said.path, f"there is no file {show_file(path)}", origin=where, advice=advice))
    return _picked(around.read(path), path, keys, said, where)


def _own_variant(name: str, around: Surroundings) -> str:
    names = around.names()
    return next((key for key in (name, f"_{name}") if key in names and kind_of(type(names[key])) is not None), "")


def variant_file(name: str, said: Override, around: Surroundings) -> tuple[str, list[str | None]] | None:
    """The file that `@name` means, and the names in it of which the first counts that it has; None for all of it.

    Gives None where no file is meant, or none lies where it would have to.
    """
    file, colon, inner = name.rpartition(":") if ":" in name else (name, "", "")
    if around.suffixes and file.endswith(around.suffixes):
        path = os.path.abspath(os.path.join(around.folder, os.path.expanduser(file)))
        return path, [inner] if colon else [None]
    for folder in _folders(said, around):
        for suffix in around.suffixes:
            path = os.path.join(folder, name + suffix)
            if os.path.isfile(path):
                return path, [name, f"_{name}", str(said.last), None]
    return None


def said_inside(
    overrides: Sequence[Override], path: str, around: Surroundings, defined: Callable[[], Collection[str]]
) -> list[Override]:
    """What overrides say of values inside of a variant's file, with the names that these have there.

    Args:
        overrides: All that are given.
        path: The file.
        around: What their words can name.
        defined: Gives the names that the file defines.
    """
    found = []
    for n, said in enumerate(overrides):
        name = variant_word(said)
        place = variant_file(name, said, around) if name and not said.below and not _own_variant(name, around) else None
        inside = [*_said_below(said, overrides[n + 1 :])] if place is not None and place[0] == path else []
        if place is not None and inside:
            names = defined()
            key = next((key for key in place[1] if key is None or key in names), None)
            start = () if key is None else (key,)
            found += [later.like(steps=(*start, *rest)) for later, rest in inside]
    return found


def _said_below(said: Override, others: Sequence[Override]) -> Iterator[tuple[Override, tuple[Any, ...]]]:
    """Those of later overrides that mean something below where a variant stands, with the way from there."""
    own = _words(said.steps)
    for later in others:
        steps = _words(later.steps)
        if later.below and own[: len(steps)] == steps:
            yield later, ()
        elif own[: len(steps)] == steps:
            return  # something else stands there from now on
        elif steps[: len(own)] == own:
            yield later, later.steps[len(own) :]


def _words(steps: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(map(str, steps))


def _folders(said: Override, around: Surroundings) -> list[str]:
    if not around.folder or around.read is None:
        return []
    steps = [step for step in said.steps if isinstance(step, str)]
    return [os.path.join(around.folder, *steps), *([os.path.join(around.folder, steps[-1])] if len(steps) > 1 else [])]


def _picked(found: Any, path: str, keys: list[str | None], said: Override, where: str) -> Any:
    """What a file holds under the first of some names that it has."""
    for key in keys:
        if key is None:
            return found
        try:
            return raw_item(found, key)
        except LookupError:
            continue
    kind = kind_of(type(found))
    known = kind.items(found)[0] if kind is not None else []
    problem = f"{show_file(path)} defines no {keys[0]}"
    raise OverrideError(Fault(said.path, problem, origin=where, advice=[f"it defines  {', '.join(map(str, known))}"]))


def candidates(said: Override, around: Surroundings) -> list[str]:
    """The names of the variants that lie in the folder of a path."""
    found: dict[str, None] = {}
    for folder in _folders(said, around):
        if os.path.isdir(folder):
            names = sorted(os.path.splitext(file) for file in os.listdir(folder))
            found.update((stem, None) for stem, suffix in names if suffix in around.suffixes and stem[:1] not in "_.")
    return list(found)


def _no_variant(name: str, root: Any, said: Override, around: Surroundings, where: str) -> OverrideError:
    names = around.names()
    own = [key for key, value in names.items() if is_node(value) and key not in said.steps[:1]]
    known = [*dict.fromkeys([*(key.removeprefix("_") for key in own), *candidates(said, around)])]
    advice = [f"did you mean  {said.path}=@{close}?" for close in nearest(name, known)[:1]]
    advice += [f"there are  {', '.join('@' + key for key in known)}"] if known else []
    if not around.folder:
        what = f"{name}, _{name}"
        advice.append(f"looked for  {what}  alone: files are those beside the file that a spec was loaded from")
    as_text = f"{said.path}='@{name}'"
    advice += [f"or write  {format_path(said.steps)}=@file.py:name", f"for the text:  {typed(as_text)}"]
    return OverrideError(Fault(said.path, f"there is no variant {name!r}", origin=where, advice=advice))


def left_out(said: Override, target: Any, dropped: Iterable[Any]) -> str:
    """What a swap says of arguments that do not fit."""
    names = ", ".join(key if isinstance(key, str) else layout(key) for key in dropped)
    return f"{said.text}: {label_of(target, full=True)} takes no {names}, left out"
