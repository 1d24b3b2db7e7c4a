"""What an override that is being typed may become: paths of a spec, and the values that fit there."""

from __future__ import annotations

import os

from ._fields import has_fields
from ._grammar import parse
from ._guide import Taken, given, is_component, item_keys, value_text
from ._hint import NONE
from ._items import CALLS, LISTS, raw_item, settle_step
from ._lazy import through
from ._leaf import MISSING
from ._path import parse_path, plain_step
from ._ref import Ref
from ._secret import Secret
from ._signature_cache import SignatureCache
from ._swap import Surroundings, is_node, names_of
from ._swap import candidates as variants_beside
from ._target import Name
from ._values import parse_value
from .errors import CallsheetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._hint import Form

    Candidate = tuple[str, str]
    """A whole word, and a note on it for whoever chooses."""

_raw = object.__getattribute__
_ABSENT = object()
_FILES = (".py", ".yaml", ".yml", ".toml", ".json")


def candidates(spec: Any, word: str, *, folder: str = "", sweeps: bool = False, values: bool = True) -> list[Candidate]:
    """The words that a word may become.

    Args:
        spec: What its path starts in.
        word: As far as it was typed: `opt`, `optim.`, `optim.lr=`, `~opt`.
        folder: Where its file lies, for variants in other files; "" where there is none.
        sweeps: Whether several values may stand behind the `=`.
        values: Whether a value follows the path; only the path is wanted if not.

    Returns:
        In the order of the spec; none where nothing fits.
    """
    sign = "++" if word.startswith("++") else word[:1] if word[:1] in ("+", "~") else ""
    path, equals, typed = word[len(sign) :].partition("=")
    try:
        if equals:
            start = word[: -len(typed) or None]
            return list(_values(spec, path.removesuffix("+"), typed, start, folder=folder, sweeps=sweeps))
        return list(_paths(spec, path, sign, assigns=values and sign != "~"))
    except (CallsheetError, LookupError):
        return []


def files(text: str, *, endings: tuple[str, ...] = ("",)) -> list[Candidate]:
    """The files and folders that a path may become."""
    folder, name = os.path.split(text)
    try:
        found = sorted(os.listdir(os.path.expanduser(folder) or "."))
    except OSError:
        return []
    made = []
    for entry in found:
        whole = os.path.join(folder, entry)
        if not entry.startswith(name) or (entry.startswith(".") and not name.startswith(".")) or entry == "__pycache__":
            continue
        if os.path.isdir(os.path.expanduser(whole)):
            made.append((whole + "/", ""))
        elif entry.endswith(endings):
            made.append((whole, ""))
    return made


def _at(spec: Any, path: str) -> Any:
    """What stands at a path, past references."""
    value = spec
    for step in parse_path(path) if path else ():
        holder = through(spec, value)
        value = raw_item(holder, settle_step(holder, step))
    return through(spec, value)


def _paths(spec: Any, path: str, sign: str, *, assigns: bool) -> Iterator[Candidate]:
    before, dot, _ = path.rpartition(".")
    holder = _at(spec, before)
    taken = Taken(holder, SignatureCache())
    items = list(item_keys(holder, taken))
    ends = "=" if assigns else ""
    for key, value in items:
        if not isinstance(key, int) and not (isinstance(key, str) and plain_step(key)):
            continue
        whole = f"{before}{dot}{key}"
        if not whole.startswith(path):
            continue
        try:
            inside = is_component(through(spec, value))
        except CallsheetError:
            inside = False  # a reference that leads nowhere
        if inside:
            yield f"{sign}{whole}.", taken.type_text(key)
            if not assigns:
                yield f"{sign}{whole}", ""
        else:
            now = "" if type(value) is Ref else "required" if value is MISSING else f"now {value_text(value)}"
            yield f"{sign}{whole}{ends}", " ".join(filter(None, (taken.type_text(key), now)))
    for name, _ in taken.unset(holder) if sign != "~" and assigns else ():
        whole = f"{before}{dot}{name}"
        if whole.startswith(path):
            yield f"{sign}{whole}=", taken.type_text(name)


def _values(spec: Any, path: str, typed: str, start: str, *, folder: str, sweeps: bool) -> Iterator[Candidate]:
    """Whole words that end in a value: its choices, files, targets, else what stands there now."""
    before, _, last = path.rpartition(".")
    holder, cache = _at(spec, before), SignatureCache()
    taken = Taken(holder, cache)
    if sweeps and "," in typed and not any(c in typed for c in "[{('\""):
        done, _, typed = typed.rpartition(",")
        start = f"{start}{done},"
    key = settle_step(holder, parse_path(last)[-1])
    now = next((value for other, value in item_keys(holder, taken) if other == key), _ABSENT)
    choices = taken.choices(key)
    if not choices and isinstance(now, bool):
        choices = ["true", "false"]
    elif not choices:
        choices = list(getattr(type(now), "__members__", ()))
    if _is_file(taken.type_text(key)):
        yield from ((start + text, note) for text, note in files(typed))
        return
    classes = list(classes_for(taken.form(key)))
    if classes:
        choices = classes
    elif type(now) in CALLS:
        choices = list(_targets(_raw(now, "__target__"), cache))
    elif not choices:
        shown = now is not _ABSENT and now is not MISSING and type(now) is not Secret and not is_component(now)
        choices = [value_text(now)] if shown else []
        choices += ["null"] if NONE in taken.form(key).parts and "null" not in choices else []
    if is_component(now) and type(now) not in LISTS:
        choices = [*choices, *_variants(spec, path, folder)]
    for choice in choices:
        if choice.startswith(typed) and _is_typed(choice):
            yield start + choice, "now" if now is not _ABSENT and choice == value_text(now) else ""


def _variants(spec: Any, path: str, folder: str) -> Iterator[str]:
    """What `path=@` may name: nodes that have a name in the same file, and files in the folder of the path."""
    said = parse(f"{path}=@")
    names = names_of(spec)
    own = [name for name, value in names.items() if is_node(value) and name != said.steps[0]]
    around = Surroundings(lambda: names, folder, lambda _: None, _FILES)
    yield from (f"@{name}" for name in dict.fromkeys([*own, *variants_beside(said, around)]))


def _is_typed(text: str) -> bool:
    """Whether a value that is shown can be typed so."""
    try:
        parse_value(text)
    except CallsheetError:
        return False
    return True


def _is_file(type_text: str) -> bool:
    """Whether a file's name is wanted; the class itself may only be remembered."""
    return any(part.strip() in ("Path", "PurePath", "PosixPath", "PathLike") for part in type_text.split("|"))


def classes_for(form: Form) -> dict[str, Any]:
    """The dataclasses and their like that a place declares, and those that inherit from them, by their names."""
    todo = [part.of for part in (form.parts if form.kind == "union" else (form,)) if part.kind == "class"]
    found: dict[str, Any] = {}
    while todo:
        cls = todo.pop(0)
        if has_parts(cls) and cls not in found.values():
            found.setdefault(cls.__name__, cls)
            todo += cls.__subclasses__()
    return found


def has_parts(cls: Any) -> bool:
    """Whether instances of a class have declared fields."""
    return isinstance(cls, type) and (has_fields(cls) or (issubclass(cls, tuple) and hasattr(cls, "_fields")))


def _targets(target: Any, cache: SignatureCache) -> Iterator[str]:
    """What a call may call: what it calls now, and what is remembered of the same module."""
    if type(target) is not Name:
        found = given(target)
        yield f"{found.__module__}.{found.__qualname__}"
        return
    names = {target.qualname, *cache.names_of(target.module)}
    yield from (f"{target.module}.{name}" for name in sorted(names))
