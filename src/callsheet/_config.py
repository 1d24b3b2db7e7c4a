"""`Config`: a dataclass that builds what it describes."""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABCMeta
from functools import wraps
from operator import is_
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, dataclass_transform, get_origin

from ._build import build
from ._fields import clone, field_items, owned_defaults
from ._instances import note_unborne
from ._joint import JOINT
from ._reftext import parse_text
from ._spec import Call, attach, copied, copy, new_call
from ._target import Name, parse_name
from ._tree import KINDS, Kind, Only, call_form, fold
from .errors import Fault, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import typing_extensions

    T = typing_extensions.TypeVar("T", default=Any)  # so that a bare `Config` is no fault

_FIELD_OPTIONS = frozenset(dataclasses.dataclass.__kwdefaults__ or ())
"""What `dataclass` takes: `frozen`, `kw_only`, …."""


class _Meta(ABCMeta):
    """Makes each subclass of `Config` a dataclass."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], /, **options: Any) -> Any:
        is_copy = "__dataclass_fields__" in namespace  # which `dataclass` makes, to give it slots
        if is_copy and "__callsheet_cell__" in namespace:
            namespace["__classcell__"] = namespace.pop("__callsheet_cell__")
        elif options.get("slots") and "__classcell__" in namespace:  # `super()` shall mean the copy
            namespace["__callsheet_cell__"] = namespace.pop("__classcell__")
        rest = {key: options[key] for key in options.keys() - _FIELD_OPTIONS}
        cls: Any = super().__new__(mcs, name, bases, namespace, **rest)
        if any(isinstance(base, _Meta) for base in bases) and not is_copy:
            _settle_build(cls)
            cls.__callsheet_target__ = _target_of(cls)
            parents = [base for base in cls.__mro__[1:] if "__dataclass_params__" in vars(base)]
            if parents and parents[0].__dataclass_params__.frozen:
                options.setdefault("frozen", True)
            cls = _as_dataclass(cls, {key: options[key] for key in options.keys() & _FIELD_OPTIONS})
        return cls

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], /, **options: Any) -> None:
        super().__init__(name, bases, namespace)

    def __setattr__(cls, name: str, value: Any) -> None:
        if name == "__dataclass_params__" and "__callsheet_written__" in vars(cls):
            _undo(cls)  # `@dataclass` on top begins with this, and wants the class as it was written
        super().__setattr__(name, value)

    @property
    def __signature__(cls) -> inspect.Signature:
        """Of the constructor: `__call__` would hide it."""
        written = inspect.signature(cls.__init__)  # type: ignore[misc]
        return written.replace(parameters=list(written.parameters.values())[1:], return_annotation=written.empty)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        try:
            return attach(_with_references(super().__call__(*args, **kwargs)))
        except Exception as error:
            note_unborne(error)
            raise


if TYPE_CHECKING:

    @dataclass_transform(field_specifiers=(dataclasses.field,))
    class Config(Generic[T]):
        """A dataclass that builds what it describes."""

        def __init_subclass__(
            cls,
            *,
            init: bool = True,
            repr: bool = True,
            eq: bool = True,
            order: bool = False,
            unsafe_hash: bool = False,
            frozen: bool = False,
            match_args: bool = True,
            kw_only: bool = False,
            slots: bool = False,
            weakref_slot: bool = False,
        ) -> None: ...

        def build(self) -> T:
            """Build what this describes."""
            ...

else:

    class Config(metaclass=_Meta):
        """A dataclass that builds what it describes: `class ResNetConfig(Config[ResNet])`.

        A subclass is a dataclass by itself; what `dataclass` takes is given as class
        keywords (`class C(Config[T], frozen=True)`). `Config[T]` says what is
        called with the built fields: any callable, or its name as text
        (`Config["pkg.module:T"]`), which is imported when it is built. A subclass
        may have a `build` method of its own, which sees the fields as they are; what
        it asks other parts of the spec for with their `build()` joins the build that
        runs, so that each node is built once.

        In the texts of its fields, as in those of a call, `${a.b}` is a reference.

        A default that is a config, or can be changed (a list), is no mistake: each
        instance has its own copy.

        Raises:
            SpecError: When the class is made: a field is called `build`.

        >>> class Pair(Config[dict]):
        ...     a: int = 1
        ...     b: object = None
        >>> Pair(b=Pair(a=2)).build()
        {'a': 1, 'b': {'a': 2, 'b': None}}
        """

        __slots__ = ("__origins__",)  # who has overridden fields, apart from the fields
        __callsheet_each_time__ = False  # whether each `.build()` in its own `build` is for one more of the kind

        def __class_getitem__(cls, item):
            items = item if isinstance(item, tuple) else (item,)
            return GenericAlias(cls, tuple(_named(item) for item in items))

        def build(self):
            """Build what this describes: the call of `T` with the fields, built.

            Within the `build` of another part of the spec it joins the build that runs.

            Raises:
                SpecError: It cannot be built; `faults` has every reason.
                Exception: Whatever is raised by what is called.
            """
            joint = JOINT.get()
            if joint is None:
                return build(self)
            if joint.is_open(self):  # from the `build` of a child class
                return build(_call_of(self))
            number = joint.request(self)
            return joint.one_more(self, number, lambda: build(self, root=joint.root)) if number else build(self)

        def __deepcopy__(self, memo):
            return copied(self, memo)

        def __setstate__(self, state):
            fields, more = state if isinstance(state, tuple) else (state, None)
            for key, value in {**(fields or {}), **(more or {})}.items():
                object.__setattr__(self, key, value)  # also of a frozen one

        @property
        def __orig_class__(self):
            raise AttributeError("__orig_class__")

        @__orig_class__.setter
        def __orig_class__(self, alias):
            problem = f"{alias} is no class of its own, so nothing can be made of it"
            raise SpecError(Fault("", problem, advice=["write  class Name(...): pass  with it as the base"]))


_DATA: dict[type, Kind | None] = Only({cls: KINDS[cls] for cls in (dict, list, tuple)})


def _with_references(config: Any) -> Any:
    """A config whose texts with `${`, also those in lists, tuples and dicts, are references."""

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        values = [parse_text(v) if type(v) is str and "${" in v else v for v in values]
        same = all(map(is_, values, kind.items(x)[1]))
        return x if same else kind.remake(x, keys, values)

    for key, value in zip(*field_items(config), strict=True):
        (made,) = fold([value], make, kinds=_DATA)
        if made is not value:
            object.__setattr__(config, key, made)
    return config


def _named(item: Any) -> Any:
    if isinstance(item, str):
        return parse_name(item)
    if not callable(item) and type(item) is not Name and not isinstance(item, TypeVar):
        raise SpecError(
            Fault(
                "", f"Config[{item!r}] names nothing that can be called", advice=['write  Config["package.module:T"]']
            )
        )
    return item


def _call_of(config: Any) -> Any:
    """The call that a config without a `build` of its own stands for.

    Raises:
        SpecError: Its class does not say what is called.
    """
    cls = type(config)
    target = cls.__callsheet_target__
    if target is None or isinstance(target, TypeVar):
        problem = f"{cls.__qualname__} does not say what it builds"
        advice = [f"write  class {cls.__name__}(Config[T])  with what T calls, or give it a method  build(self)"]
        raise SpecError(Fault("", problem, advice=advice))
    keys, values = field_items(config)
    return new_call(Call, target, [], dict(zip(keys, values, strict=True)))


_CALLED = Kind(field_items, clone, node=True, owned=owned_defaults, family="fields", form=call_form, call=_call_of)
_BY_HAND = Kind(
    field_items,
    clone,
    node=True,
    owned=owned_defaults,
    family="fields",
    form=call_form,
    by_hand=True,
)


def _settle_build(cls: Any) -> None:
    """Let a handwritten `build` join the build that runs, whoever calls it."""
    owner = next(base for base in cls.__mro__ if "build" in vars(base))
    found = vars(owner)["build"]
    if "build" in vars(cls).get("__annotations__", ()) or not callable(found):
        raise SpecError(
            Fault(
                "",
                f"{cls.__qualname__} has a field called build, which is the method that builds it",
                advice=["give the field another name, and pass it on in a  build(self)  of your own"],
            )
        )
    own = owner.__module__ != __name__
    if own and not hasattr(found, "__callsheet_joins__"):
        cls.build = _joining(found)
    cls.__callsheet_kind__ = _BY_HAND if own else _CALLED


def _joining(by_hand: Callable[..., Any]) -> Any:
    @wraps(by_hand)
    def joining(self: Any, *args: Any, **kwargs: Any) -> Any:
        joint = JOINT.get()
        if args or kwargs or (joint is not None and joint.is_open(self)):
            return by_hand(self, *args, **kwargs)
        if joint is None:
            return build(self)
        number = joint.request(self)
        return joint.one_more(self, number, lambda: build(self, root=joint.root)) if number else joint.ask(self)

    joining.__callsheet_joins__ = True  # type: ignore[attr-defined]
    return joining


def _target_of(cls: Any) -> Any:
    """The `T` of `Config[T]`, for a class or for what it inherits from."""
    for base in vars(cls).get("__orig_bases__", ()):
        origin = getattr(base, "__origin__", None)
        if origin is Config:
            return base.__args__[0]
        if isinstance(origin, _Meta):
            inherited = vars(origin)["__callsheet_target__"]
            given = dict(zip(_parameters_of(origin), base.__args__, strict=False))
            return given.get(inherited, inherited)
    return next((base.__callsheet_target__ for base in cls.__mro__[1:] if "__callsheet_target__" in vars(base)), None)


def _parameters_of(cls: Any) -> Iterator[Any]:
    """The type variables of a class, in the order in which it takes them."""
    bases = vars(cls).get("__orig_bases__", ())
    generic = [base for base in bases if getattr(base, "__origin__", None) is Generic]
    return iter(dict.fromkeys(p for base in generic or bases for p in getattr(base, "__parameters__", ())))


def _as_dataclass(cls: Any, options: dict[str, Any]) -> Any:
    for name, hint in vars(cls).get("__annotations__", {}).items():
        default = vars(cls).get(name)
        shared = (isinstance(hint, str) and "ClassVar" in hint) or hint is ClassVar or get_origin(hint) is ClassVar
        if (type(default).__hash__ is None or isinstance(default, Config)) and not shared:
            setattr(cls, name, dataclasses.field(default_factory=_copying(default)))
    written = dict(vars(cls))
    made: Any = dataclasses.dataclass(cls, **options)
    made.__callsheet_written__ = written
    return made


def _copying(default: Any) -> Callable[[], Any]:
    return lambda: copy(default)


def _undo(cls: Any) -> None:
    """Take back what `dataclass` has added to a class."""
    written = vars(cls)["__callsheet_written__"]
    for name in [name for name in vars(cls) if name not in written]:
        delattr(cls, name)
    for name, value in written.items():
        if vars(cls).get(name) is not value:
            setattr(cls, name, value)
