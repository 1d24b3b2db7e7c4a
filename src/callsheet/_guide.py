"""What a person can change in a spec, as data: each place with its value, type, choices, origin and description.

Nothing is built and nothing is imported: what is only named is told by what is remembered of it.
"""

from __future__ import annotations

import sys

from ._about import About, about, choices_of, typed_text
from ._annotation import EMPTY
from ._hint import ANY, Form
from ._items import CALLS, LISTS, MAPPINGS, label_of, origin_of
from ._layout import layout
from ._leaf import MISSING
from ._origin import Origin
from ._path import format_path
from ._ref import Ref
from ._secret import Secret
from ._signature import default_text, fields_of, signature_of
from ._signature_cache import SignatureCache
from ._target import Name
from ._tree import ATOMS, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._signature import Signature

    Steps = tuple[Any, ...]

_raw = object.__getattribute__


class Entry:
    """One value that can be changed.

    Attributes:
        path: Where it stands.
        value: It, as one types it; None where it must be given.
        type: What it must be, as a person writes it; "" where that is not told.
        choices: The values it may have, where they are few.
        origin: Who set it.
        text: What is said about it.
    """

    __slots__ = ("choices", "origin", "path", "text", "type", "value")

    def __init__(
        self, path: str, value: str | None, *, type: str, choices: list[str], origin: str, text: str = ""
    ) -> None:
        self.path = path
        self.value = value
        self.type = type
        self.choices = choices
        self.origin = origin
        self.text = text


class Section:
    """One component: a call, an instance, a mapping or a list that holds some.

    Attributes:
        path: Where it stands; "" for the whole.
        label: What it calls, or its class; "" for a mapping or list.
        summary: What is said about that.
        entries: What can be changed in it.
        told: Whether it is known what is called; None where nothing is.
    """

    __slots__ = ("entries", "label", "path", "summary", "told")

    def __init__(self, path: str, label: str, summary: str, entries: list[Entry], *, told: bool | None) -> None:
        self.path = path
        self.label = label
        self.summary = summary
        self.entries = entries
        self.told = told


def guide(spec: Any, *, at: Steps = ()) -> list[Section]:
    """The components of a spec, each before those that it holds.

    Args:
        spec: Any spec.
        at: Where it stands in the whole, for the paths.
    """
    return list(_Guide(spec, at).sections(spec, at))


class Taken:
    """What a container takes under its keys, as far as that is known without importing anything.

    Attributes:
        label: What it calls, or its class.
        signature: Its parameters or fields; None where they are not known.
        about: What is said about it.
        told: Whether it is known what is called; None where nothing is.
    """

    __slots__ = ("_choices", "about", "label", "signature", "told")

    signature: Signature | None

    def __init__(self, holder: Any, cache: SignatureCache) -> None:
        cls = type(holder)
        self.label, self.signature, self.about = "", None, About()
        self._choices: dict[str, list[str]] = {}
        self.told: bool | None = None
        if cls in CALLS:
            target = _raw(holder, "__target__")
            self.label = (
                target.qualname if type(target) is Name else getattr(target, "__qualname__", "") or label_of(target)
            )
            self.label = self.label.rpartition("<locals>.")[2]
            found = given(target)
            known = cache.find(target) if found is EMPTY and type(target) is Name else None
            if found is not EMPTY:
                self.signature, self.about = signature_of(found), about(found)
            elif known is not None:
                self.signature, self._choices, self.about = known.signature, known.choices, known.said or About()
            self.told = found is not EMPTY or known is not None
        elif cls not in MAPPINGS and cls not in LISTS:
            self.label, self.signature, self.about = cls.__qualname__, fields_of(cls), about(cls)

    def form(self, key: Any) -> Form:
        """What stands under a key must be."""
        return ANY if self.signature is None else self.signature.form(key)

    def type_text(self, key: Any) -> str:
        """The type under a key as a person writes it, "" for any."""
        form, parameter = self.form(key), self.signature.parameter(key) if self.signature is not None else None
        if self.signature is not None and self.signature.target is None and parameter is not None:
            return parameter.annotation if isinstance(parameter.annotation, str) else ""
        return "" if form is ANY else form.text

    def text(self, key: Any) -> str:
        """What is said about what stands under a key; of a position, also the name that it has there."""
        parameter = self.signature.parameter(key) if self.signature is not None else None
        if not isinstance(key, int) or parameter is None:
            return self.about.texts.get(str(key), "")
        return ": ".join(filter(None, (parameter.name, self.about.texts.get(parameter.name, ""))))

    def choices(self, key: Any) -> list[str]:
        """The values that may stand under a key, as one types them, where they are few."""
        return self._choices.get(key) or choices_of(self.form(key))

    def unset(self, holder: Any) -> Iterator[tuple[str, Any]]:
        """The parameters to which nothing is given, each with its default; EMPTY where it has none."""
        if self.signature is None or type(holder) not in CALLS:
            return
        given = {*_raw(holder, "__dict__"), *(p.name for p in self.signature.slots[: len(_raw(holder, "__args__"))])}
        for name, parameter in self.signature.named.items():
            if name not in given:
                yield name, parameter.default


def given(target: Any) -> Any:
    """What a call calls, where that is there without importing anything; else EMPTY."""
    if type(target) is not Name:
        return target if kind_of(type(target)) is None else EMPTY
    found: Any = sys.modules.get(target.module, EMPTY)
    for part in target.qualname.split("."):
        found = getattr(found, "__dict__", {}).get(part, EMPTY)  # asking the module may make it import
    return found if callable(found) else EMPTY


def item_keys(holder: Any, taken: Taken) -> Iterator[tuple[Any, Any]]:
    """What stands in a container: keys as a path has them, and raw values."""
    kind = kind_of(type(holder))
    assert kind is not None
    slots = taken.signature.slots if taken.signature is not None else []
    for key, value in zip(*kind.items(holder), strict=True):
        if (
            type(holder) in CALLS
            and isinstance(key, int)
            and key < len(slots)
            and not isinstance(_raw(holder, "__target__"), Name)
        ):
            key = slots[key].name
        yield key, value


class _Guide:
    """One walk: what was told already, and the names of what stands elsewhere."""

    def __init__(self, spec: Any, at: Steps) -> None:
        self.cache = SignatureCache()
        self.seen: dict[int, str] = {}
        if type(spec) in MAPPINGS:  # what has a name of its own is told there
            for key, value in _raw(spec, "__dict__").items():
                if is_component(value):
                    self.seen.setdefault(id(value), format_path((*at, key)))
        self.started: set[int] = set()

    def sections(self, holder: Any, steps: Steps, origin: str = "") -> Iterator[Section]:
        """The section of a container, and those of what it holds; `origin` is who set all of it."""
        self.started.add(id(holder))
        self.seen.setdefault(id(holder), format_path(steps))
        taken = Taken(holder, self.cache)
        entries: list[tuple[int, Entry]] = []
        order = {p.name: n for n, (p, _) in enumerate(taken.signature.parameters)} if taken.signature else {}
        inner: list[tuple[Any, Steps, str]] = []
        for key, value in item_keys(holder, taken):
            path, where = (*steps, key), origin_text(origin_of(holder, key), taken, key) or origin
            if is_component(value) and self.seen.get(id(value), format_path(path)) == format_path(path):
                inner.append((value, path, where))
            else:
                place = key if isinstance(key, int) else order.get(key, len(order))
                entries.append((place, self._entry(key, value, taken, path, where)))
        for name, default in taken.unset(holder):
            entries.append((order[name], _unset(name, default, taken, (*steps, name))))
        entries.sort(key=lambda row: row[0])
        summary = taken.about.summary
        yield Section(
            format_path(steps), _label(holder, taken), summary, [entry for _, entry in entries], told=taken.told
        )
        for value, path, where in inner:
            if id(value) not in self.started:
                yield from self.sections(value, path, where)

    def _entry(self, key: Any, value: Any, taken: Taken, path: Steps, origin: str) -> Entry:
        return Entry(
            format_path(path),
            None if value is MISSING else self.shown(value),
            type=taken.type_text(key),
            choices=taken.choices(key),
            origin=origin,
            text=taken.text(key),
        )

    def shown(self, value: Any) -> str:
        """A value on one line, as one types it where it is plain."""
        if id(value) in self.seen and is_component(value):
            return self.seen[id(value)]
        return value_text(value, self.seen)


def value_text(value: Any, names: dict[int, str] | None = None) -> str:
    """A value on one line: as one types it where it is plain, else as it reads."""
    cls = type(value)
    plain = cls in ATOMS or hasattr(cls, "__members__") or hasattr(cls, "__fspath__") or _is_plain_list(value)
    if plain and cls is not Secret and cls is not bytes:
        return typed_text(value)
    return default_text(value) if kind_of(cls) is None else layout(value, width=1000, names=names or {})


def _is_plain_list(value: Any) -> bool:
    if type(value) not in LISTS and type(value) not in (list, tuple):
        return False
    items = list.__iter__(value) if isinstance(value, list) else iter(value)
    return all(type(item) in ATOMS or _is_plain_list(item) for item in items)


def origin_text(origin: Origin, taken: Taken, key: Any) -> str:
    """Who set a value, and what that was before."""
    before = origin.replaced
    if before is not None:
        return f"{origin.where}, was {_short(value_text(before[0]))}"
    parameter = taken.signature.parameter(key) if taken.signature is not None else None
    if origin.kind == "override" and parameter is not None and parameter.default is not EMPTY:
        return f"{origin.where}, was {_short(value_text(parameter.default))}"
    return origin.where


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:19] + "…"


def _unset(name: str, default: Any, taken: Taken, path: Steps) -> Entry:
    return Entry(
        format_path(path),
        None if default is EMPTY else value_text(default),
        type=taken.type_text(name),
        choices=taken.choices(name),
        origin="" if default is EMPTY else "default",
        text=taken.about.texts.get(name, ""),
    )


def is_component(value: Any) -> bool:
    """Whether a value has a section of its own: a call, an instance, a mapping, or a list that holds one."""
    cls = type(value)
    if cls is Ref or kind_of(cls) is None or hasattr(cls, "__members__"):
        return False
    if cls in LISTS or cls in (list, tuple):
        items = list.__iter__(value) if isinstance(value, list) else iter(value)
        return any(is_component(item) for item in items)
    return (cls not in MAPPINGS and cls is not dict) or bool(len(value))


def _label(holder: Any, taken: Taken) -> str:
    partial = type(holder) in CALLS and "Partial" in type(holder).__name__
    return f"partial({taken.label})" if partial else taken.label
