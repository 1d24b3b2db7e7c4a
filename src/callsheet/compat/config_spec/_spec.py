"""`Spec`: a function and arguments for it as data, instantiated as config_spec does it."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar

from callsheet._fields import clone, field_items
from callsheet._path import format_path
from callsheet._project import project_settings
from callsheet._target import Name, TargetError, parse_name, resolve
from callsheet._tree import Kind, call_form, fold, steps_of
from callsheet._trust import Policy
from callsheet.errors import CallsheetError, CycleError, DepthError, Fault, TrustError

from ._form import (
    RETURN_TYPES,
    Form,
    FormError,
    is_form,
    malformed,
    name_text,
    read_form,
    return_type_error,
    target_key,
    write_form,
)
from ._walk import Kinds, arguments_of, flat_partial, form_items, is_native, made_anew, remade

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class ImportFailure(TargetError, ValueError):
    """What specs name cannot be imported; also a ValueError, as config_spec raises it."""


class _Instantiate:
    """`Spec.instantiate(o)` of anything, `spec.instantiate()` of one spec."""

    def __get__(self, spec: Any, owner: type | None = None) -> Any:
        def instantiate(o: Any = spec, *, allow: Iterable[str] | None = None) -> Any:
            """Import what specs name, and make what they say; see `Spec`."""
            return instantiated(o, allow)

        return instantiate


@dataclasses.dataclass(init=False, repr=False)
class Spec:
    """A function or class with arguments, as data that can be edited and written as JSON.

    `Spec(function, *args, **kwargs)` describes `functools.partial(function, *args,
    **kwargs)`; called, `spec(*args, **kwargs)`, it describes the call itself.
    Functions, classes and partials among the arguments become specs.
    `Spec("package.module:function", args=(...), kwargs={...})` names the function,
    and `Spec(**data)` reads a dict.

    `Spec.instantiate(o)` imports the functions of all specs in `o` (a spec, its
    dict, or lists and dicts that hold some) and gives what they describe: a
    partial, the function itself where there are no arguments, or what a called
    one returns. Nothing in `o` changes; a spec that stands at two places is made
    once. `dict(spec)` is the spec as data.

    Attributes:
        args: Positional arguments.
        kwargs: Named arguments.

    Raises:
        FormError: A callable has no name that leads to it again, such as a lambda.
            A ValueError, too.

    >>> spec = Spec(int, base=2)
    >>> spec, dict(spec)
    (<Spec: functools.partial(builtins:int, base=2)>, {'target': 'builtins:int', 'base': 2, '__dense_spec__': True})
    >>> Spec.instantiate(spec)("101"), Spec.instantiate([spec("11"), Spec(abs)])
    (5, [3, <built-in function abs>])
    """

    __config_spec__ = True
    __callsheet_kind__: ClassVar[Kind]

    _target_: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    _return_type_: str = "partial"
    _recursive_: bool = True

    instantiate = _Instantiate()

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        form = _said(args, kwargs)
        if form.recursive:
            keys, values = form_items(form)
            values = [*_with_specs(dict(zip(keys, values, strict=True))).values()]
            form.args, form.kwargs = arguments_of(form, keys, values)
        self._set(form.target, form.args, form.kwargs, form.return_type, form.recursive)

    def _set(self, target: str, args: tuple[Any, ...], kwargs: dict[str, Any], kind: str, recursive: bool) -> None:
        self._target_ = target
        self.args = args
        self.kwargs = kwargs
        self._return_type_ = kind
        self._recursive_ = recursive

    @staticmethod
    def instantiate_from_dict(o: Any, *, allow: Iterable[str] | None = None) -> Any:
        """Import what specs name, and make what they say.

        Args:
            o: A spec as a dict or as itself, or dicts, lists and tuples that hold some.
            allow: Names of modules (`torch.optim`) or objects (`model:create_model`)
                that may be imported, beside those that the project allows; None
                imports whatever is named, as config_spec does.

        Returns:
            The same with functions, partials and results in place of specs.

        Raises:
            FormError: A dict is malformed.
            ImportFailure: What a spec names is not there; `faults` has all.
            TrustError: `allow` does not have it.
            Exception: Whatever is raised by what is called, with a note of where it stands.
        """
        return instantiated(o, allow)

    @staticmethod
    def from_dict(o: Any) -> Any:
        """Dicts that are specs as `Spec` objects, at any depth; nothing is imported.

        Raises:
            FormError: A dict is malformed.
        """
        return made_anew(o, _read)

    @staticmethod
    def asdict(o: Any) -> Any:
        """`asdict` with the keys of config_spec's code: `_target_`, `_return_type_`, `_recursive_`.

        >>> Spec.asdict([Spec(int, base=2)("11"), 3])
        [{'_target_': 'builtins:int', 'args': ('11',), 'base': 2, '_return_type_': 'called'}, 3]
        """
        return as_data(o, documented=False)

    def partial(self, *args: Any, **kwargs: Any) -> Spec:
        """A spec with more arguments.

        Raises:
            FormError: It is called already.
        """
        return self._extended(args, kwargs, self._return_type_)

    def __call__(self, *args: Any, **kwargs: Any) -> Spec:
        """A spec of the call itself, with more arguments.

        Raises:
            FormError: It is called already.
        """
        return self._extended(args, kwargs, "called")

    def _extended(self, args: tuple[Any, ...], kwargs: dict[str, Any], return_type: str) -> Spec:
        if self._return_type_ == "called":
            problem = f"{self!r} is called already, and takes no more arguments"
            raise FormError(Fault("", problem, advice=["give them before the call, or set  spec.kwargs[name] = ..."]))
        named = {**self.kwargs, **kwargs}
        return dataclasses.replace(self, args=(*self.args, *args), kwargs=named, _return_type_=return_type)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """The items of the spec as a dict, for `dict(spec)`."""
        return iter(as_data(self, documented=True).items())

    def __repr__(self) -> str:
        args = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs.items())]
        if self._return_type_ == "called":
            return f"<Spec: {self._target_}({', '.join(args)})>"
        return f"<Spec: functools.partial({', '.join([self._target_, *args])})>" if args else f"<Spec: {self._target_}>"


def _unbuilt(spec: Spec) -> Any:
    problem = "a Spec of config_spec stands here, which is no call of Callsheet's"
    raise FormError(Fault("", problem, advice=["write  to_spec(...)  around it"]))


Spec.__module__ = __name__.rpartition(".")[0]  # as files shall name it
Spec.__callsheet_kind__ = Kind(field_items, clone, node=True, family="fields", form=call_form, call=_unbuilt)


def asdict(o: Any) -> Any:
    """Specs, partials, functions and classes in anything as dicts that JSON can hold.

    Args:
        o: A spec, a partial, a function, or dicts, lists and tuples that hold some.
            Numbers, texts and whatever else stand as they are.

    Returns:
        The same with a dict in place of each, which `Spec.instantiate_from_dict`
        reads; `config["optimizer"]["target"] = "torch.optim:AdamW"` edits it.

    Raises:
        FormError: A callable has no name that leads to it again, such as a lambda; `faults` has all.

    >>> asdict({"make": functools.partial(int, base=2), "steps": 1000})
    {'make': {'target': 'builtins:int', 'base': 2, '__dense_spec__': True}, 'steps': 1000}
    """
    return as_data(o, documented=True)


def new_spec(form: Form, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Spec:
    """A spec of arguments that are as a spec keeps them."""
    made: Spec = object.__new__(Spec)
    made._set(form.target, args, kwargs, form.return_type, form.recursive)
    return made


def form_of(spec: Spec) -> Form:
    """What a spec says."""
    return Form(spec._target_, tuple(spec.args), spec.kwargs, spec._return_type_, spec._recursive_)


def _said(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Form:
    """What the arguments of `Spec(...)` say."""
    if not args:
        if not is_form(kwargs):
            raise TypeError("Spec() needs a function, its name, or the items of a spec's dict")
        return read_form(kwargs)
    function, *more = args
    if isinstance(function, str):
        if len(more) > len(_FIELDS):
            raise TypeError(f"Spec({function!r}, ...) takes {', '.join(_FIELDS)}, found {len(more)} arguments")
        return read_form({"_target_": function, **kwargs, **dict(zip(_FIELDS, more, strict=False))})
    if not callable(function):
        raise TypeError(f"{function!r} cannot be called, so there is no spec of it")
    if isinstance(function, functools.partial):
        known = flat_partial(function)
        return Form(name_text(known.target), (*known.args, *more), {**known.kwargs, **kwargs})
    return Form(name_text(function), tuple(more), kwargs)


_FIELDS = ("args", "kwargs", "_return_type_", "_recursive_")


# --- kinds ------------------------------------------------------------------------------------------------------------


def _spec_items(spec: Any) -> tuple[list[Any], list[Any]]:
    return form_items(form_of(spec))


def _recursive_items(spec: Any) -> tuple[list[Any], list[Any]]:
    return form_items(form_of(spec)) if spec._recursive_ else ([], [])


def _same(x: Any, keys: list[Any], values: list[Any]) -> Any:
    return x


_SPECS = Kinds(spec=Kind(_recursive_items, _same, node=True, family="spec"), forms=False)
_CALLABLES = Kinds(partials=True)
_WRITTEN = Kinds(spec=Kind(_spec_items, _same, node=True, family="spec"), partials=True, forms=False)


# --- what specs become ------------------------------------------------------------------------------------------------


def _read(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
    if kind.family == "dict" and is_form(x):
        form = read_form(x)
        return new_spec(form, *arguments_of(form, keys, values))
    return remade(x, kind, keys, values)


def _with_specs(o: Any) -> Any:
    """Functions, classes, partials and dicts of specs as specs."""

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if kind.family != "partial":
            return _read(x, kind, keys, values)
        form = flat_partial(x)
        named = Form(name_text(form.target))
        return new_spec(named, *arguments_of(form, keys, values))

    def leaf(x: Any) -> Any:
        return new_spec(Form(name_text(x)), (), {}) if callable(x) and not isinstance(x, Spec) else x

    return made_anew(o, make, leaf=leaf, kinds=_CALLABLES)


def as_data(o: Any, *, documented: bool) -> Any:
    """Whatever can be called as a dict."""

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if kind.family == "dict" and is_form(x):  # a function that was set as its target is written as one alone
            at = keys.index(target_key(x))
            values[at] = values[at][target_key(values[at])] if type(values[at]) is dict else values[at]
        if kind.family not in ("spec", "partial"):
            return remade(x, kind, keys, values)
        form = form_of(x) if kind.family == "spec" else flat_partial(x)
        target = form.target if kind.family == "spec" else name_text(form.target)
        args, kwargs = arguments_of(form, keys, values)
        return write_form(Form(target, args, kwargs, form.return_type, form.recursive), documented=documented)

    def leaf(x: Any) -> Any:
        if is_native(x):
            raise malformed(f"is a node of Callsheet's own: {x!r}", "from_spec(...) makes one of config_spec of it")
        return write_form(Form(name_text(x)), documented=documented) if callable(x) else x

    return made_anew(o, make, leaf=leaf, kinds=_WRITTEN)


def instantiated(o: Any, allow: Iterable[str] | None) -> Any:
    """What specs describe, each made once; every import happens before the first call."""
    policy = None if allow is None else policy_of(allow, "Spec.instantiate_from_dict")
    o = Spec.from_dict(o)
    found = _imported(o, policy)
    trail: list[Any] = []

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if kind.family != "spec":
            return remade(x, kind, keys, values)
        form = form_of(x)
        args, kwargs = arguments_of(form, keys, values) if form.recursive else (form.args, form.kwargs)
        function = functools.partial(found[id(x)], *args, **kwargs) if args or kwargs else found[id(x)]
        try:
            return function() if form.return_type == "called" else function
        except Exception as error:
            error.add_note(f"while instantiating {format_path(steps_of(trail)) or 'the spec'}\n    {x!r}")
            raise

    return fold(o, make, kinds=_SPECS, trail=trail)


def _imported(o: Any, policy: Policy | None) -> dict[int, Callable[..., Any]]:
    """The function of each spec by the spec's id."""
    found: dict[int, Callable[..., Any]] = {}

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if kind.family == "spec":
            found[id(x)] = _function(x, policy)
        return x

    def leaf(x: Any) -> Any:
        if is_native(x):
            raise malformed(f"is a node of Callsheet's own: {x!r}", "build(to_spec(...)) builds both together")
        return x

    try:
        made_anew(o, make, leaf=leaf, kinds=_SPECS)
    except (TrustError, CycleError, DepthError, FormError):
        raise
    except CallsheetError as error:
        raise ImportFailure(*error.faults) from None
    return found


def _function(spec: Spec, policy: Policy | None) -> Callable[..., Any]:
    if spec._return_type_ not in RETURN_TYPES:
        raise return_type_error(spec._return_type_)
    name = parse_name(spec._target_)
    try:
        found: Any = resolve(Name(name.module, name.qualname, digest=name.digest, policy=policy))
    except Exception as error:
        if not isinstance(error, CallsheetError):  # of the user's own module
            error.add_note(f"while importing {spec._target_}")
        raise
    if not callable(found):
        raise TargetError(Fault("", f"{name.dotted} is {found!r}, which cannot be called"))
    return found  # type: ignore[no-any-return]


def policy_of(allow: Iterable[str], giver: str) -> Policy:
    """What data may import: what is allowed here, and what the project allows.

    Args:
        allow: Names of modules or objects.
        giver: The function that took them, for advice.
    """
    return Policy(allow, project=project_settings().allow, reads=f"{giver}(..., ")
