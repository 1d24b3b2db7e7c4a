"""Specs of config_spec as specs of Callsheet, and back."""

from __future__ import annotations

from callsheet._items import CALLS
from callsheet._leaf import MISSING, Datum, make_real
from callsheet._ref import Ref
from callsheet._secret import Secret
from callsheet._spec import INSTANCES, PARTIALS, Call, Partial, attach, call_parts, here, new_call
from callsheet._storage import read_bytes, text_of
from callsheet._target import Name, parse_name, resolve
from callsheet._tree import KINDS, Kind
from callsheet._written import Template
from callsheet.errors import Fault, LoadError, SpecError
from callsheet.formats import json

from ._form import Form, is_form, name_text, read_form
from ._spec import Spec, form_of, new_spec, policy_of
from ._walk import Kinds, arguments_of, flat_partial, form_items, made_anew, remade

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from callsheet._origin import Site
    from callsheet._trust import Policy

_raw = object.__getattribute__


def read(path: str, *, allow: Iterable[str] = ()) -> Any:
    """The spec that a JSON file of config_spec describes.

    Raises:
        LoadError: It is no JSON.
        FormError: A dict in it is malformed.
    """
    try:
        data = json.read(text_of(read_bytes(path), path), path)
    except FileNotFoundError:
        raise LoadError(Fault("", f"there is no file {path}")) from None
    return to_spec(data, allow=allow)


def to_spec(data: Any, *, allow: Iterable[str] = ()) -> Any:
    """A spec of Callsheet that builds what `Spec.instantiate` gives; nothing is imported.

    A spec becomes a `Partial`, a called one a `Call`, one without arguments the
    name of its function; dicts and lists become Callsheet's own. Every verb
    works on that: `save`, `check`, `override`, `build`. What a `Spec` object
    names is trusted as the code that made it; what a dict names is not.

    Args:
        data: A spec as a dict or as itself, or dicts, lists and tuples that hold some, as `json.load` gives them.
        allow: What dicts may name once something must be imported: modules
            (`torch.optim`) or objects (`model:create_model`), beside those that the project allows.

    Returns:
        The spec.

    Raises:
        FormError: A dict is malformed.

    >>> to_spec({"make": {"_target_": "builtins:int", "base": 2}, "f": Spec(abs), "n": Spec(int)("3"), "steps": 10})
    {'make': partial(int)(base=2), 'f': abs, 'n': lazy(int)('3'), 'steps': 10}
    """
    policy, site = policy_of(allow, "to_spec"), here()

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        values = [_literal(value) for value in values]
        if kind.family == "dict" and is_form(x):
            form = read_form(x)
            return _call(form, values if form.recursive else _held(Spec.from_dict(form_items(form)[1])), policy, site)
        if kind.family == "spec":
            form = form_of(x)
            return _call(form, values if form.recursive else _held(form_items(form)[1]), None, site)
        if kind.family == "partial":
            form = flat_partial(x)
            args, kwargs = arguments_of(form, keys, values)
            return new_call(Partial, form.target, [*map(attach, args)], _attached(kwargs, site), site)
        if kind.family == "dict":
            return dict(zip(keys, values, strict=True))
        return remade(x, kind, keys, values)

    return attach(_literal(made_anew(data, make, kinds=_SPECS)), site)


def _call(form: Form, values: list[Any], policy: Policy | None, site: Site) -> Any:
    """The native call that a spec with these arguments describes, or its function's name."""
    name = parse_name(form.target)
    name.policy = policy
    target: Any = resolve(name) if name.module == "__main__" and policy is None else name
    args, kwargs = arguments_of(form, form_items(form)[0], values)
    if not args and not kwargs and form.return_type == "partial":
        return target
    cls = Call if form.return_type == "called" else Partial
    return new_call(cls, target, [attach(value, site) for value in args], _attached(kwargs, site), site)


def _attached(kwargs: dict[str, Any], site: Site) -> dict[str, Any]:
    return {name: attach(value, site) for name, value in kwargs.items()}


def _literal(x: Any) -> Any:
    """A text as it stands: `${` means nothing to config_spec."""
    return Ref(Template((x,))) if type(x) is str and "${" in x else x


def _held(values: list[Any]) -> Any:
    """Arguments that reach their function as they are, the specs among them too."""

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        values = [_literal(value) for value in values]
        return dict(zip(keys, values, strict=True)) if kind.family == "dict" else remade(x, kind, keys, values)

    def leaf(x: Any) -> Any:
        return new_call(Call, Spec.from_dict, _held([Spec.asdict(x)]), {}) if isinstance(x, Spec) else x

    return [attach(value) for value in made_anew(values, make, leaf=leaf, kinds=_HELD)]


def _spec_items(spec: Any) -> tuple[list[Any], list[Any]]:
    return form_items(form_of(spec))


_SPECS = Kinds(spec=Kind(_spec_items, lambda x, keys, values: x, node=True, family="spec"), partials=True)
_HELD = Kinds(forms=False)


def from_spec(spec: Any) -> Any:
    """Calls and partials of Callsheet as specs of config_spec, and the dicts and lists that hold them as plain ones.

    Args:
        spec: A spec of Callsheet.

    Returns:
        The same with `Spec` objects; `asdict` makes data of them.

    Raises:
        SpecError: It holds what config_spec has no words for: a reference (`resolve(spec)` first), a `Config`, a value
            that must be given, a call of what another call gives; `faults` has all.
        FormError: A callable has no name that leads to it again.

    >>> from callsheet import lazy, partial
    >>> from_spec({"make": partial(int)(base=2), "n": lazy(abs)(-3)})
    {'make': <Spec: functools.partial(builtins:int, base=2)>, 'n': <Spec: builtins:abs(-3)>}
    """
    return made_anew(spec, _unmade, leaf=_unmade_leaf, kinds=_NATIVE)


def _unmade(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
    if kind.family == "partial" and type(x) not in CALLS:
        form = flat_partial(x)
        return new_spec(Form(name_text(form.target)), *arguments_of(form, keys, values))
    if type(x) in CALLS and type(x) not in INSTANCES:
        target, args, kwargs = call_parts(x, keys, values)
        if target is not _raw(x, "__target__"):
            raise _unsaid("calls what another call gives")
        text = target.text if type(target) is Name else name_text(target)
        return new_spec(
            Form(text, return_type="partial" if type(x) in PARTIALS else "called"), tuple(args), dict(kwargs)
        )
    if type(x) in INSTANCES or kind.call is not None or kind.by_hand:
        raise _unsaid(f"is a {type(x).__qualname__}, which builds something else")
    if kind.family == "dict":
        return dict(zip(keys, values, strict=True))
    return values if kind.family == "list" else kind.remake(x, keys, values)


def _unmade_leaf(x: Any) -> Any:
    if type(x) is Ref:
        base = x.__base__
        if type(base) is Template and not x.__steps__ and all(isinstance(part, str) for part in base.parts):
            return "".join(str(part) for part in base.parts)
        raise _unsaid(f"is the reference {x!r}", "to put what it leads to in its place:  from_spec(resolve(spec))")
    if x is MISSING or type(x) is Secret:
        raise _unsaid(f"is {x!r}")
    if type(x) is Name:
        return new_spec(Form(x.text), (), {})
    if type(x) is Datum:
        return make_real(x)
    if callable(x) and not isinstance(x, Spec):
        return new_spec(Form(name_text(x)), (), {})
    return x


def _unsaid(problem: str, *advice: str) -> SpecError:
    return SpecError(Fault("", f"{problem}: config_spec has no words for that", advice=advice))


_NATIVE: dict[type, Kind | None] = {**KINDS, Ref: None}
