"""LazyConfig files run as detectron2 runs them, but that what they only name is not imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from callsheet._configfile import execute, meanings_through, new_module, place_of, show_file, source_of
from callsheet._imports import CALLSHEET, LAZY, Words
from callsheet._target import ImportHooks, Name
from callsheet.errors import Fault, LoadError, PathError, nearest

from . import _tree
from ._calls import LazyCall, dump_dataclass, instantiate, target_text
from ._yaml import read_yaml

_WORDS = Words(
    {
        **CALLSHEET.modules,
        "detectron2": {},
        "detectron2.config": {"LazyCall": LAZY},
        "detectron2.config.instantiate": {},
        "detectron2.config.lazy": {"LazyCall": LAZY},
        "detectron2.model_zoo": {},
        "omegaconf": {},
        "callsheet.compat.detectron2": {"LazyCall": LAZY},
    },
    stays="_target_",
)
"""What a config imports from where, to describe calls; the value of `_target_` stays a name, too."""

_REFUSED = (
    "Relative import of directories is not allowed within config file. "
    "Within a config file, relative import can only import other config files."
)
_SUFFIXES = (".py", ".yaml", ".yml")


def load(filename: str, keys: str | Sequence[str] | None = None, *, allow: Iterable[str] = ()) -> Any:
    """What a LazyConfig file defines.

    Args:
        filename: A `.py`, `.yaml` or `.yml` file.
        keys: The names that are wanted: one gives its value, several a tuple of
            them. By default all dicts and lists of the file whose names do not
            start with `_`.
        allow: Of a YAML file: the modules that its targets may be imported from,
            beside those that the project allows.

    Returns:
        A `DictConfig`: omegaconf's own where it is installed.

    Raises:
        LoadError: The file is not there, or is not valid.
        PathError: It does not define one of the keys.
        ImportError: A relative import leads to a folder.
    """
    path = os.path.abspath(filename)
    if not path.endswith(_SUFFIXES):
        raise LoadError(Fault("", f"Config file {filename} has to be a python or yaml file."))
    if not os.path.isfile(path):
        raise LoadError(Fault("", f"there is no file {show_file(path)}"))
    if not path.endswith(".py"):
        found = read_yaml(path, allow)
        return found if keys is None else _picked(found, keys, path)
    module = _run(path, ())
    names = vars(module)
    if keys is not None:
        return _picked(names, keys, path)
    return _tree.new_dict(
        {
            name: _tree.new(value)
            for name, value in names.items()
            if (isinstance(value, dict) or _tree.is_config(value)) and not name.startswith("_")
        }
    )


def load_rel(filename: str, keys: str | Sequence[str] | None = None) -> Any:
    """`load` of a path relative to the file that calls this."""
    caller = sys._getframe(1).f_code.co_filename
    if caller.startswith("<"):
        raise LoadError(Fault("", "load_rel does not know which file calls it: use load with a whole path"))
    return load(os.path.join(os.path.dirname(caller), filename), keys)


def get_config(config_path: str, trained: bool = False) -> Any:
    """A config of detectron2's model zoo.

    It is looked for in the installed package, and in the folder `configs` of the
    checkout that the calling file lies in.

    Args:
        config_path: Such as `"common/optim.py"` or `"new_baselines/mask_rcnn_R_50_FPN_100ep_LSJ.py"`.
        trained: Whether its `train.init_checkpoint` shall be that of the trained model.

    Raises:
        LoadError: There is no such config, or it is one of yacs (`.yaml`).
    """
    caller = os.path.abspath(sys._getframe(1).f_code.co_filename)
    if not config_path.endswith(".py"):
        advice = ["detectron2.model_zoo.get_config reads those"]
        raise LoadError(Fault("", f"{config_path} is no LazyConfig file, which ends in .py", advice=advice))
    folders = [*_installed(), *_checkout(os.path.dirname(caller))]
    for folder in folders:
        path = os.path.join(folder, config_path)
        if os.path.isfile(path):
            cfg = load(path)
            if trained:
                _start_trained(cfg, config_path)
            return cfg
    advice = [f"looked in  {', '.join(map(show_file, folders))}"] if folders else ["pip install detectron2"]
    raise LoadError(Fault("", f"{config_path} not available in Model Zoo!", advice=advice))


def _installed() -> list[str]:
    found = find_spec("detectron2")  # of a package, which is not imported by that
    places = found.submodule_search_locations if found is not None else None
    return [os.path.join(place, "model_zoo", "configs") for place in places or ()]


def _checkout(folder: str) -> list[str]:
    """Every folder called `configs` above or beside a file, the nearest first."""
    out = []
    while True:
        out.append(folder if os.path.basename(folder) == "configs" else os.path.join(folder, "configs"))
        above = os.path.dirname(folder)
        if above == folder:
            return [place for place in out if os.path.isdir(place)]
        folder = above


def _start_trained(cfg: Any, config_path: str) -> None:
    try:
        from detectron2.model_zoo import get_checkpoint_url  # type: ignore[import-not-found,unused-ignore]
    except ModuleNotFoundError:
        problem = f"where the trained weights of {config_path} lie is known to detectron2 only"
        raise LoadError(
            Fault("", problem, advice=["pip install detectron2, or set cfg.train.init_checkpoint"])
        ) from None
    if "train" not in cfg or "init_checkpoint" not in cfg.train:
        raise LoadError(Fault("train.init_checkpoint", f"is what trained=True sets, and {config_path} has none"))
    cfg.train.init_checkpoint = get_checkpoint_url(config_path)


def _picked(names: Any, keys: str | Sequence[str], path: str) -> Any:
    wanted = [keys] if isinstance(keys, str) else keys
    for key in wanted:
        if key not in names:
            known = [name for name in names if not name.startswith("_")]
            close = nearest(key, known)
            raise PathError(
                Fault(
                    key,
                    f"is not defined by {show_file(path)}",
                    advice=[f"did you mean  {close[0]}?"] if close else [f"it defines  {', '.join(known)}"],
                )
            )
    found = [_tree.new(names[key]) for key in wanted]
    return found[0] if isinstance(keys, str) else tuple(found)


SERVED: dict[str, dict[str, Any]] = {
    "detectron2.config": {"LazyCall": LazyCall, "instantiate": instantiate},
    "detectron2.config.instantiate": {"dump_dataclass": dump_dataclass, "instantiate": instantiate},
    "detectron2.config.lazy": {"LazyCall": LazyCall},
    "detectron2.model_zoo": {"get_config": get_config},
}
"""By module, what configs get in place of what they import, whether or not that is installed."""


class _ServedModule:
    """A module of which some names are served; the others are those of the module itself."""

    def __init__(self, module: str) -> None:
        self.__name__ = module

    def __getattr__(self, name: str) -> Any:
        found = _served(self.__name__, name)
        return getattr(import_module(self.__name__), name) if found is None else found


def _served(module: str, name: str) -> Any:
    """What a config gets for an import of a name, None where it is an ordinary one."""
    if module == "omegaconf":
        return getattr(_tree.library(), name, None) if name in ("OmegaConf", "DictConfig", "ListConfig") else None
    if name in SERVED.get(module, {}):
        return SERVED[module][name]
    if name == "ShapeSpec" and module in _SHAPES and find_spec("detectron2") is None:
        return _Record(module, name)
    return _ServedModule(f"{module}.{name}") if f"{module}.{name}" in SERVED else None


class _Record(Name):
    """The record of shapes that nearly every config of a model makes, described where there is no detectron2."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return LazyCall(self)(**dict(zip(("channels", "height", "width", "stride"), args, strict=False)), **kwargs)


_SHAPES = ("detectron2.layers", "detectron2.layers.shape_spec", "detectron2.modeling")
"""The modules that it is imported from."""


def _served_module(module: str, submodule: str) -> Any:
    """What a config gets for `import module`, None where it is an ordinary one."""
    if module == "omegaconf":
        return _tree.library()
    return _ServedModule(module) if submodule in SERVED else None


def _run(path: str, chain: tuple[str, ...]) -> ModuleType:
    """The module of a config file, run anew."""
    if path in chain:
        around = " → ".join(map(show_file, (*chain[chain.index(path) :], path)))
        raise LoadError(Fault("", f"{show_file(path)} takes from itself", advice=[around]))
    source = source_of(path, _WORDS)
    module = new_module(source)
    meanings = meanings_through(path, partial(source_of, words=_WORDS), {}, place_of)
    execute(source.compile(meanings), module, _Hooks(path, (*chain, path)))
    return module


class _Hooks(ImportHooks):
    """What the imports of a running config come to."""

    runs_again = False  # as plain Python its relative imports and `LazyCall` would be others

    def __init__(self, path: str, chain: tuple[str, ...]) -> None:
        super().__init__(path)
        self.names = {}
        self.chain = chain
        self.ran: dict[tuple[int, str, int], ModuleType] = {}  # by the import statement

    def __reduce__(self) -> tuple[Any, ...]:
        """For a lambda of the file, which is pickled with the names that it uses."""
        return _Hooks, (self.path, self.chain)

    def after(self, number: int) -> None:
        """Nothing: what stands in a file is ordinary Python."""

    def bind(self, bound: str, module: str, name: str, line: int, submodule: str) -> Any:
        """What is served, or a name that waits for its use."""
        served = _served(module, name) if name else _served_module(module, submodule)
        if served is not None:
            self.bound.pop(bound, None)
            return served
        close = nearest(name, list(SERVED.get(module, ())))
        if close and find_spec("detectron2") is None:
            advice = [f"did you mean  {close[0]}?", "or for what detectron2 itself has:  pip install detectron2"]
            raise LoadError(Fault("", f"{module} has no {name!r}", origin=self._where(line), advice=advice))
        return super().bind(bound, module, name, line, submodule)

    def name(self, value: Any, bound: str, rest: str, line: int) -> Any:
        """What a lazy call receives for a name that an import may have bound."""
        found = super().name(value, bound, rest, line)
        return Name(found.module, found.qualname, where=self._where(line)) if type(found) is _Record else found

    def stay(self, value: Any, bound: str, rest: str, line: int) -> Any:
        """A `_target_` as text, where its import waits."""
        found = self.name(value, bound, rest, line)
        return target_text(found) if isinstance(found, Name) else found

    def take(self, level: int, module: str, name: str, bound: str, line: int) -> Any:
        """What another config file defines; a dict becomes a container, and both files have it."""
        found, hooks = self._file(level, module, line)
        names = vars(found)
        if name not in names:
            close = nearest(name, list(names))
            problem = f"{show_file(hooks.path)} defines no {name!r}"
            advice = [f"did you mean  {close[0]}?"] if close else []
            raise LoadError(Fault("", problem, origin=self._where(line), advice=advice))
        if name in hooks.bound:
            self.bound[bound] = hooks.bound[name]
        names[name] = _tree.new_dict(names[name]) if isinstance(names[name], dict) else names[name]
        return names[name]

    def take_all(self, level: int, module: str, line: int) -> dict[str, Any]:
        """All public names that another config file defines."""
        found, _ = self._file(level, module, line)
        return {name: self.take(level, module, name, name, line) for name in [*vars(found)] if not name.startswith("_")}

    def _file(self, level: int, module: str, line: int) -> tuple[ModuleType, _Hooks]:
        if not module:
            raise ImportError(f"{_REFUSED} ({self._where(line)})")
        folder = os.path.dirname(self.path)
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        stem = os.path.join(folder, *module.split("."))
        if not os.path.isfile(f"{stem}.py"):
            if os.path.isdir(stem):
                raise ImportError(f"Cannot import from {stem}. {_REFUSED}")
            raise ImportError(f"Cannot import name {module} from {self.path}: {stem}.py does not exist.")
        if (level, module, line) not in self.ran:
            self.ran[level, module, line] = _run(f"{stem}.py", self.chain)
        ran = self.ran[level, module, line]
        hooks: _Hooks = vars(ran)["__callsheet__"]
        return ran, hooks
