"""Many copies of one spec that differ in a few leaves, each at little more than the cost of its containers."""

from __future__ import annotations

from ._items import CALLS, DEFERRED, LISTS, MAPPINGS
from ._ref import Positions, Ref, base_of, dots_of, root_of, steps_of
from ._spec import CallParts, List, MappingParts
from ._steps import operands_of
from ._tree import ATOMS, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ._origin import Origin

    Setting = tuple[int, Any, Any, Origin]
    """A leaf to be set: which container, as `Stamp.numbers` has it, the key, the value and its origin."""


def _slot(cls: type, name: str) -> tuple[Any, Any]:
    slot = vars(cls)[name]
    return slot.__get__, slot.__set__


_new = object.__new__
_items_of, _set_items = _slot(CallParts, "__dict__")
_args_of, _set_args = _slot(CallParts, "__args__")
_target_of, _set_target = _slot(CallParts, "__target__")
_held_of, _set_held = _slot(CallParts, "__held__")
_call_site, _set_call_site = _slot(CallParts, "__site__")
_call_origins, _set_call_origins = _slot(CallParts, "__origins__")
_mapping_items_of, _set_mapping_items = _slot(MappingParts, "__dict__")
_mapping_site, _set_mapping_site = _slot(MappingParts, "__site__")
_mapping_origins, _set_mapping_origins = _slot(MappingParts, "__origins__")


_policy_of = vars(Ref)["__policy__"].__get__


class Unfit(Exception):
    """A spec holds what only `copy` copies: dataclasses, tuples of containers, texts with references; or very much."""


class Stamp:
    """Makes copies of a spec of calls, mappings, lists, references and leaves; sharing is kept.

    Args:
        spec: What is copied; it must not change any more.

    Attributes:
        numbers: For the `id` of each container of the spec, which it is.
        copy: Gives a copy, in which some leaves of mappings and calls are others.

    Raises:
        Unfit: The spec holds something else.
    """

    def __init__(self, spec: Any) -> None:
        self.numbers: dict[int, int] = {}
        self._steps: list[tuple[Any, ...]] = []
        self._refs: list[Ref] = []
        self._spec = spec  # so that the `id`s stay
        todo: list[tuple[Any, bool]] = [(spec, False)]
        opened: set[int] = set()
        while todo:
            x, entered = todo.pop()
            if id(x) in self.numbers:
                continue
            if entered:
                self._steps.append(self._step(x))
                self.numbers[id(x)] = len(self._steps) - 1
                continue
            if id(x) in opened:
                raise Unfit  # a cycle, which `copy` names
            opened.add(id(x))
            todo.append((x, True))
            todo += [(value, False) for value in _values(x) if type(value) is not Ref and _is_container(value)]
            if len(opened) > _MOST:
                raise Unfit
        self._judge_references()
        self.copy: Callable[[Iterable[Setting]], Any] = self._written()

    def _step(self, x: Any) -> tuple[Any, ...]:
        """The class of a container, and all that its copy takes: what is inside of it by numbers."""
        cls = type(x)
        if cls in LISTS:
            items = [*list.__iter__(x)]
            return cls, None, items, self._links(enumerate(items)), x.__site__, x.__origins__
        if cls in MAPPINGS:
            items = _mapping_items_of(x)
            return cls, None, dict(items), self._links(items.items()), _mapping_site(x), _mapping_origins(x)
        items, args = _items_of(x), _args_of(x)
        call = (_target_of(x), [*args], self._links(enumerate(args)), _held_of(x))
        return cls, call, dict(items), self._links(items.items()), _call_site(x), _call_origins(x)

    def _links(self, items: Iterable[tuple[Any, Any]]) -> list[tuple[Any, str]]:
        """Where in a container each copy has something of its own, and how that is called in the source."""
        return [(key, self._name(value)) for key, value in items if type(value) is Ref or _is_container(value)]

    def _name(self, value: Any) -> str:
        if type(value) is not Ref:
            return f"x{self.numbers[id(value)]}"
        self._refs.append(value)
        return f"ref{len(self._refs) - 1}"

    def _judge_references(self) -> None:
        """Refuse references of which a copy has more to make than where they lead."""
        if len({*map(id, self._refs)}) < len(self._refs):
            raise Unfit
        for ref in self._refs:
            base = base_of(ref)
            leads_inside = type(base) is tuple or id(base) in self.numbers
            has_text = not _SIMPLE.issuperset(map(type, operands_of(steps_of(ref))))
            if not leads_inside or has_text or type(root_of(ref)) is Positions:
                raise Unfit

    def _written(self) -> Any:
        """A function of its own that copies just this spec: a loop over its containers costs twice as much.

        Only numbers of this class's own stand in its source; whatever the spec holds is given to it by name.
        """
        names: dict[str, Any] = {**_SETTERS, "new": object.__new__, "List": List}
        made: list[str] = []
        noted: list[str] = []
        end: list[str] = []
        for n, ref in enumerate(self._refs):
            made.append(f"ref{n} = new(Ref)")
            end += [f"ref_{part}(ref{n}, {said})" for part, said in self._parts_of(ref, f"of_ref{n}", names)]
        for n, (cls, call, items, links, site, origins) in enumerate(self._steps):
            names |= {f"cls{n}": cls, f"items{n}": items, f"site{n}": site, f"origins{n}": origins}
            noted.append(f"{{**origins{n}}}" if origins else "None")
            if cls in LISTS:
                made += [f"own{n} = x{n} = List.__new__(cls{n})", f"List.__base__.extend(x{n}, items{n})"]
                made += [f"List.__base__.__setitem__(x{n}, {at}, {inner})" for at, inner in links]
                made.append(f"x{n}.__site__ = site{n}")
                end.append(f"x{n}.__origins__ = noted[{n}]")
                continue
            names |= {f"key{n}_{i}": key for i, (key, _) in enumerate(links)}
            inside = "".join(f", key{n}_{i}: {inner}" for i, (_, inner) in enumerate(links))
            kind = "mapping" if call is None else "call"
            made += [f"x{n} = new(cls{n})", f"own{n} = {{**items{n}{inside}}}", f"{kind}_items(x{n}, own{n})"]
            made.append(f"{kind}_site(x{n}, site{n})")
            end.append(f"{kind}_origins(x{n}, noted[{n}])")
            if call is not None:
                target, args, inner_args, held = call
                names |= {f"target{n}": target, f"args{n}": args}
                own = dict(inner_args)
                held_args = [own.get(i, f"args{n}[{i}]") for i in range(len(args))]
                made += [f"args(x{n}, [{', '.join(held_args)}])", f"target(x{n}, target{n})", f"held(x{n}, {held})"]
        lines = [
            *made,
            f"own = {', '.join(f'own{n}' for n in range(len(self._steps)))},",
            f"noted = [{', '.join(noted)}]",
            "for n, key, value, origin in settings:",
            "    own[n][key] = value",
            "    if noted[n] is None: noted[n] = {key: origin}",
            "    else: noted[n][key] = origin",
            *end,
            f"return x{len(self._steps) - 1}",
        ]
        exec("def copy(settings):\n    " + "\n    ".join(lines), names)  # noqa: S102  (the source is written above)
        return names["copy"]

    def _parts_of(self, ref: Ref, name: str, names: dict[str, Any]) -> list[tuple[str, str]]:
        """What a reference has, by slot, as the source says it; what is the same in all copies gets a name."""
        parts = {"base": base_of(ref), "root": root_of(ref), "steps": steps_of(ref), "policy": _policy_of(ref)}
        parts |= {"dots": dots_of(ref), "held": True}
        said = []
        for part, value in parts.items():
            if part in ("base", "root") and id(value) in self.numbers:
                said.append((part, f"x{self.numbers[id(value)]}"))
            else:
                names[f"{name}_{part}"] = value
                said.append((part, f"{name}_{part}"))
        return said


_SETTERS = {
    "Ref": Ref,
    **{f"ref_{name}": vars(Ref)[f"__{name}__"].__set__ for name in ("base", "root", "steps", "policy", "dots", "held")},
    "target": _set_target,
    "args": _set_args,
    "held": _set_held,
    "call_items": _set_items,
    "call_site": _set_call_site,
    "call_origins": _set_call_origins,
    "mapping_items": _set_mapping_items,
    "mapping_site": _set_mapping_site,
    "mapping_origins": _set_mapping_origins,
}
_MOST = 1000
"""Containers beyond which writing the function would take longer than a few copies."""


_SIMPLE = frozenset(ATOMS)


def _is_container(value: Any) -> bool:
    """Whether a value is copied, and not a leaf that all copies share.

    Raises:
        Unfit: It is neither.
    """
    cls = type(value)
    if cls in _SIMPLE:
        return False
    if cls in CALLS or cls in MAPPINGS or cls in LISTS:
        return True
    if cls in DEFERRED or (kind_of(cls) is not None and not (cls is tuple and _SIMPLE.issuperset(map(type, value)))):
        raise Unfit
    return False


def _values(x: Any) -> list[Any]:
    cls = type(x)
    if cls in LISTS:
        return [*list.__iter__(x)]
    if cls in MAPPINGS:
        return [*_mapping_items_of(x).values()]
    if cls not in CALLS or kind_of(type(_target_of(x))) is not None or type(_target_of(x)) in DEFERRED:
        raise Unfit
    return [*_args_of(x), *_items_of(x).values()]
