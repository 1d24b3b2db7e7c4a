"""LazyConfig's trees to Callsheet's own specs, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Literal

from callsheet._bind import bind_all
from callsheet._build import build
from callsheet._leaf import MISSING
from callsheet._path import format_path
from callsheet._read import Values
from callsheet._ref import Ref, base_of, dots_of, ref_text, steps_of
from callsheet._reftext import parse_text
from callsheet._signature import signature_of
from callsheet._spec import INSTANCES, PARTIALS, Call, Partial, attach, call_parts, new_call
from callsheet._target import Name, parse_name, resolve
from callsheet._tree import Kind, kind_of
from callsheet._written import WRITTEN, Asked, Template, with_parts, written
from callsheet.errors import CycleError, Fault, SpecError

from . import _files, _tree
from ._calls import Target, target_text
from ._own import OmegaConf, contents, steps_to

Steps = tuple[Any, ...]


def read(path: str, *, allow: Iterable[str] = ()) -> Any:
    """The spec that a LazyConfig file describes; `load` and `to_spec` in one."""
    return to_spec(_files.load(path, allow=allow))


def to_spec(cfg: Any) -> Any:
    """A LazyConfig tree as a spec of Callsheet.

    Each dict with a `_target_` becomes a call. A reference to a plain value stays
    one; a reference to a call, which LazyConfig builds anew at each place, becomes
    a call of its own there.

    Args:
        cfg: What `LazyConfig.load` gives, or a part of it.

    Returns:
        The spec; nothing is imported for it.

    Raises:
        PathError: A reference leads to nothing.
        CycleError: A reference leads to what holds it.
    """
    spec = attach(_Reading().of(_own(_tree.to_container(cfg)), (), ()))
    bind_all(spec)
    return spec


def _own(content: Any) -> Any:
    return OmegaConf.create(content) if isinstance(content, dict | list) else content


class _Reading:
    def of(self, x: Any, at: Steps, copies: tuple[Steps, ...]) -> Any:
        """The spec of a container or value.

        Args:
            x: What stands in the tree.
            at: Where, from the root.
            copies: Where what is being copied to the place of a reference stands, the innermost last.
        """
        if not OmegaConf.is_config(x):
            return x
        raw = contents(x)
        if isinstance(raw, list):
            return [self.item(x, value, n, at, copies) for n, value in enumerate(raw)]
        items = {key: self.item(x, value, key, at, copies) for key, value in raw.items() if key != "_target_"}
        if "_target_" not in raw:
            return items
        items.pop("_recursive_", None)
        target = self.target(x, raw["_target_"], at, copies)
        return new_call(Call, target, [], {key: attach(value) for key, value in items.items()}, None)

    def target(self, holder: Any, target: Any, at: Steps, copies: tuple[Steps, ...]) -> Any:
        if isinstance(target, str) and "${" not in target:
            name = parse_name(target, policy=target.policy if isinstance(target, Target) else None)
            return (
                resolve(name) if name.digest else name
            )  # what a config defines is itself there, and has no other name
        return self.item(holder, target, "_target_", at, copies)

    def item(self, holder: Any, value: Any, key: Any, at: Steps, copies: tuple[Steps, ...]) -> Any:
        if isinstance(value, str) and "${" in value:
            return self.reference(holder, value, key, at, copies)
        return MISSING if value == "???" and isinstance(value, str) else self.of(value, (*at, key), copies)

    def reference(self, holder: Any, text: str, key: Any, at: Steps, copies: tuple[Steps, ...]) -> Any:
        ref = parse_text(text)
        if not isinstance(base_of(ref), Template | Asked):
            found = holder[key]
            if OmegaConf.is_config(found) and _holds_calls(found):
                place = steps_to(found)
                if (*at, key)[: len(place)] == place or place in copies:
                    raise CycleError(Fault(format_path((*at, key)), f"refers to what holds it: {text}"))
                return self.of(found, place, (*copies, place))
        return written_text(self.moved(ref, at, copies))

    def moved(self, ref: Ref, at: Steps, copies: tuple[Steps, ...]) -> Ref:
        """The reference as it leads to the same from where it is copied to."""
        ref = _in_words(ref, "oc.env", "env")
        base, dots = base_of(ref), dots_of(ref)
        if not isinstance(base, tuple):
            base = with_parts(base, lambda part: self.moved(part, at, copies))
        if dots and copies:
            start, copied = at[: len(at) - (dots - 1)], copies[-1]
            if isinstance(base, tuple) and len(start) < len(copied):  # it leaves what is copied
                meant = (*start, *base)
                if meant[: len(copied)] != copied:
                    return Ref(meant)
                return Ref(meant[len(copied) :], dots=len(at) - len(copied) + 1)  # and comes back into it
        return Ref(base, dots=dots)


def written_text(ref: Ref) -> str:
    """A reference as it stands in a text."""
    return written(base_of(ref), dots_of(ref))


def _in_words(ref: Ref, theirs: str, ours: str) -> Ref:
    """The reference with one resolver under its other name."""
    base = base_of(ref)
    if isinstance(base, tuple):
        return ref
    base = with_parts(base, lambda part: _in_words(part, theirs, ours))
    if type(base) is Asked and base.name == theirs:
        base = Asked(ours, base.args, ours + base.text.removeprefix(theirs), base.function)
    return Ref(base, dots=dots_of(ref))


def _is_node(x: Any, families: tuple[str, ...]) -> bool:
    kind = kind_of(type(x))
    return kind is not None and kind.family in families


def _is_built(x: Any) -> bool:
    """Whether a value is a call or a reference, or holds one, however deep."""
    kind = kind_of(type(x))
    return _is_node(x, ("call", "partial", "ref")) or (kind is not None and any(map(_is_built, kind.items(x)[1])))


def _holds_calls(x: Any, passed: tuple[int, ...] = ()) -> bool:
    """Whether a container is a call, or one lies in it or behind a reference in it."""
    if not OmegaConf.is_config(x) or id(x) in passed:
        return False
    raw = contents(x)
    keys = raw if isinstance(raw, dict) else range(len(raw))
    return "_target_" in raw or any(_holds_calls(_behind(x, raw[key], key), (*passed, id(x))) for key in keys)


def _behind(holder: Any, value: Any, key: Any) -> Any:
    """What a reference alone leads to; any other value as it is."""
    if not isinstance(value, str) or "${" not in value or isinstance(base_of(parse_text(value)), Template | Asked):
        return value
    return holder[key]


def from_spec(spec: Any, *, shared: Literal["error", "copy"] = "error") -> Any:
    """A spec of Callsheet as a LazyConfig tree.

    Args:
        spec: A mapping, a list or a call. Positional arguments get their names from
            the callable's signature, for which it is imported.
        shared: What happens to a node that two places hold, or a reference leads
            to: LazyConfig would build it twice. "copy" accepts that.

    Returns:
        A `DictConfig` or `ListConfig`.

    Raises:
        SpecError: It holds what LazyConfig has no word for: a `partial`, what is done
            to a built object, a shared node; `faults` names each with its path.
    """
    spec = attach(spec)
    made = _FromSpec(spec, copies=shared == "copy")
    tree = made.of(spec, ())
    if made.faults:
        raise SpecError(*made.faults)
    return _tree.new(tree)


class _FromSpec:
    def __init__(self, spec: Any, *, copies: bool) -> None:
        self.copies = copies
        self.values = Values(spec)
        self.faults: list[Fault] = []
        self.places: dict[int, Steps] = {}

    def of(self, x: Any, at: Steps) -> Any:
        kind = kind_of(type(x))
        if kind is None:
            return "???" if x is MISSING else x
        if kind.family == "ref":
            return self.reference(x, at)
        if kind.node and self.places.setdefault(id(x), at) != at and not self.copies:
            first = format_path(self.places[id(x)])
            self.fault(at, f"is also {first}, and LazyConfig would build it twice", 'to accept that:  shared="copy"')
            return None
        keys, values = kind.items(x)
        if kind.family == "fields" and kind.call is None and type(x) not in INSTANCES:
            return self.instance(x, keys, values, at)
        call = kind.call(x) if kind.call is not None else x
        if kind.family in ("dict", "list", "tuple"):
            made = [self.of(value, (*at, key)) for key, value in zip(keys, values, strict=True)]
            return dict(zip(keys, made, strict=True)) if kind.family == "dict" else made
        return self.call(call, kind if call is x else kind_of(type(call)), at)

    def call(self, call: Any, kind: Kind | None, at: Steps) -> Any:
        if type(call) is Partial and kind is not None and not any(map(_is_built, kind.items(call)[1])):
            return build(call)  # of values alone it is a live object, and there a value as any other
        if kind is None or type(call) in PARTIALS or kind.family == "partial":
            return self.fault(at, "is a partial call, for which LazyConfig has no word")
        target, args, kwargs = call_parts(call, *kind.items(call))
        names = self.names_of(target, len(args), at) if args else []
        items = {**dict(zip(names, args, strict=False)), **kwargs}
        made = {key: self.of(value, (*at, key)) for key, value in items.items()}
        callee = target_text(target) if callable(target) or isinstance(target, Name) else self.of(target, at)
        return {**made, "_target_": callee}

    def names_of(self, target: Any, count: int, at: Steps) -> list[str]:
        signature = signature_of(resolve(target) if isinstance(target, Name) else target)
        names = [slot.name for slot in signature.slots[:count] if slot.name] if signature is not None else []
        if len(names) < count:
            self.fault(at, f"has {count} positional arguments, of which not all have names: LazyConfig needs them")
        return names

    def instance(self, x: Any, keys: list[Any], values: list[Any], at: Steps) -> Any:
        if any(_is_node(value, ("call", "ref")) for value in values):
            items = {key: self.of(value, (*at, key)) for key, value in zip(keys, values, strict=True)}
            return {**items, "_target_": target_text(type(x))}
        return x if dataclasses.is_dataclass(x) else self.fault(at, f"is a {type(x).__name__}, which is no dataclass")

    def reference(self, ref: Ref, at: Steps) -> Any:
        if type(base_of(ref)) not in WRITTEN or steps_of(ref):
            return self.fault(at, f"is {ref_text(ref)}, done to what is built: LazyConfig has no word for that")
        if not self.copies and not isinstance(base_of(ref), Template | Asked):
            kind = kind_of(type(self.values.reached_by(ref)))
            if kind is not None and kind.node:
                advice = 'to accept that:  shared="copy"'
                return self.fault(at, f"is {ref_text(ref)}, a node that LazyConfig would build again", advice)
        return written_text(_in_words(ref, "env", "oc.env"))

    def fault(self, at: Steps, problem: str, *advice: str) -> None:
        self.faults.append(Fault(format_path(at), problem, advice=list(advice)))
