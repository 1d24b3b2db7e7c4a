"""YAML as LazyConfig has it: PyYAML's, with classes as `!!python/name`; here it is data, which imports nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from callsheet._configfile import read_source, show_file
from callsheet._project import project_settings
from callsheet._storage import write_whole
from callsheet._target import Name, parse_name
from callsheet._trust import Policy
from callsheet.errors import Fault, LoadError

from . import _tree
from ._calls import Target, dump_dataclass, in_config, target_text

_PYTHON = "tag:yaml.org,2002:python/"


def read_yaml(path: str, allow: Iterable[str]) -> Any:
    """The containers of a YAML file; what it names is imported by `instantiate`, under a policy.

    Raises:
        LoadError: It is no YAML, or holds an object that only its constructor could make.
    """
    yaml = _library(path)
    policy = Policy(allow, project=project_settings().allow, reads=f'LazyConfig.load("{show_file(path)}", ')

    class Loader(yaml.SafeLoader):  # type: ignore[name-defined,misc]
        """Reads what detectron2 writes, without making anything."""

    def named(loader: Any, suffix: str, node: Any) -> Name:
        return parse_name(suffix, where=_where(path, node), policy=policy)

    def described(loader: Any, suffix: str, node: Any) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise refused(loader, suffix, node)
        return {"_target_": suffix, **loader.construct_mapping(node, deep=True)}

    def refused(loader: Any, suffix: str, node: Any) -> LoadError:
        problem = f"holds a {suffix or node.tag}, which only Python could make"
        raise LoadError(Fault("", problem, origin=_where(path, node), advice=["load the .py file that it came from"]))

    for kind in ("tuple", "list"):
        Loader.add_constructor(_PYTHON + kind, lambda loader, node: loader.construct_sequence(node, deep=True))
    Loader.add_multi_constructor(_PYTHON + "name:", named)
    Loader.add_multi_constructor(_PYTHON + "object:", described)
    Loader.add_multi_constructor(_PYTHON, refused)
    try:
        data = yaml.load(read_source(path), Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{show_file(path)}:{mark.line + 1}" if mark is not None else show_file(path)
        raise LoadError(Fault("", f"is no YAML: {getattr(error, 'problem', error)}", origin=where)) from None
    return _tree.new(_judged({} if data is None else data, policy))


def _judged(x: Any, policy: Policy) -> Any:
    """The same data, with targets that ask the policy."""
    if isinstance(x, list):
        return [_judged(member, policy) for member in x]
    if not isinstance(x, dict):
        return x
    return {
        key: Target(value, policy)
        if key == "_target_" and isinstance(value, str) and "${" not in value
        else _judged(value, policy)
        for key, value in x.items()
    }


def _where(path: str, node: Any) -> str:
    return f"{show_file(path)}:{node.start_mark.line + 1}"


def write_yaml(cfg: Any, path: str) -> list[str]:
    """Write a config as YAML for people, whole or not at all.

    Args:
        cfg: A container of any values.
        path: Of the file.

    Returns:
        The paths of values that no reading gives back, such as a lambda.
    """
    yaml = _library(path)
    lost: list[str] = []
    data = _readable(_tree.to_container(cfg), "", lost)

    class Dumper(yaml.Dumper):  # type: ignore[name-defined,misc]
        """Writes names as PyYAML writes the classes and functions that they name."""

        def ignore_aliases(self, data: Any) -> bool:
            """Always: whatever stands at two places is written at both."""
            return True

    def name(dumper: Any, x: Name) -> Any:
        return dumper.represent_scalar(f"{_PYTHON}name:{target_text(x)}", "")

    def text(dumper: Any, x: str) -> Any:
        return dumper.represent_str(str(x))

    def anything(dumper: Any, x: Any) -> Any:
        return dumper.represent_str(repr(x))

    Dumper.add_representer(Name, name)
    Dumper.add_representer(Target, text)
    Dumper.add_representer(_Lost, anything)
    text_of_all = yaml.dump(data, Dumper=Dumper, default_flow_style=None, allow_unicode=True, width=9999)
    write_whole(path, text_of_all)
    return lost


class _Lost:
    """Stands for a value that YAML can only show."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


def _readable(x: Any, place: str, lost: list[str]) -> Any:
    """The data with targets as text, classes and functions as names, and the rest as what it looks like."""
    import dataclasses

    if isinstance(x, Mapping):
        return {key: _readable(value, f"{place}.{key}" if place else str(key), lost) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_readable(value, f"{place}[{n}]", lost) for n, value in enumerate(x)]
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return _readable(dump_dataclass(x), place, lost) if in_config(type(x)) else x
    is_target = place.rpartition(".")[2] == "_target_"
    found = target_text(x) if is_target or not isinstance(x, str) else None
    if isinstance(found, str) and "#" in found:  # in this process only
        lost.append(place)
        return parse_name(found).dotted
    if x is None or isinstance(x, bool | int | float | str | bytes):
        return x
    if isinstance(found, str):
        return found if is_target else parse_name(found)
    lost.append(place)
    return _Lost(x)


def _library(path: str) -> Any:
    try:
        import yaml
    except ModuleNotFoundError:
        advice = ['pip install "callsheet[yaml]"']
        raise LoadError(Fault("", f"{show_file(path)} needs PyYAML", advice=advice)) from None
    return yaml
