"""Commands of a spec: what the names of a template mean, what the command comes to, and what is wrong with it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callsheet._build import build
from callsheet._equal import hash_of
from callsheet._items import origin_of, raw_item, step_into
from callsheet._layout import layout
from callsheet._lazy import get, locate_path, nothing_at
from callsheet._leaf import MISSING, Datum
from callsheet._path import format_path
from callsheet._ref import Ref
from callsheet._resolve import reached, resolve
from callsheet._running import moved
from callsheet._secret import Secret
from callsheet._spec import INSTANCES, attach
from callsheet._spec import Mapping as SpecMapping
from callsheet._target import Name
from callsheet._tree import kind_of, walk
from callsheet.errors import Fault, SpecError
from callsheet.run import _shape
from callsheet.run._experiment import Command
from callsheet.run._groups import groups_in
from callsheet.run._template import ExpressionError, fill

_raw = object.__getattribute__
_COMMAND = "callsheet.run.Command"


@dataclass(frozen=True)
class Commanded:
    """A part of a spec that is run as a command.

    Attributes:
        part: The `Command`, or the experiment.
        template: Its text.
        path: Where that stands in the whole spec.
        origin: Who set it.
        names: What holds the names of the template: the experiment; for a `Command` the whole spec.
        root: The whole spec.
    """

    part: Any
    template: str
    path: str
    origin: str
    names: Any
    root: Any

    def words(self, given: Mapping[str, Any] | None = None) -> list[str]:
        """The words of the command.

        Args:
            given: What the run tells; without it, what only a run knows stands as `<run.dir>`.

        Raises:
            SpecError: The template is faulty, names what is not there, or a value is no text.
        """
        return self._filled(_Names(self, given))

    def reads(self) -> dict[str, Any]:
        """The values that the template names, by path, as they stand in the spec."""
        names = _Names(self, None)
        self._filled(names)
        return names.read

    def faults(self) -> list[Fault]:
        """What is wrong with it, as far as that can be told before it runs."""
        names = _Names(self, None)
        try:
            self._filled(names)
        except ExpressionError as error:
            return [] if names.waits else list(error.faults)
        except SpecError as error:
            return list(error.faults)
        return []

    def _filled(self, names: _Names) -> list[str]:
        self._judge()
        group = next(iter(groups_in(self.names)), None) if self.names is self.part else None
        if group is not None:
            advice = ["callsheet sweep  runs each", "unroll(…)  gives them as a list"]
            raise SpecError(Fault(group, "is a group, which is several experiments", advice=advice))
        try:
            return fill(self.template, names)
        except SpecError as error:
            told = (Fault(self.path, f.problem, origin=f.origin or self.origin, advice=f.advice) for f in error.faults)
            raise type(error)(*told) from None

    def _judge(self) -> None:
        """Refuse a command that data brought, unless it is allowed to.

        Raises:
            TrustError: Nothing allows data to name `callsheet.run:Command`.
        """
        if type(self.part) in INSTANCES:
            name = _raw(self.part, "__target__")
            if name.policy is not None:
                name.policy.judge_name("callsheet.run", Command.__qualname__, str(name.where))


def commanded(root: Any, entry: str) -> Commanded | None:
    """The command that an entry of a spec is, whose references are resolved; None for what is built."""
    part = get(root, entry) if entry else root
    if _is_command(part):
        template, names, path = raw_item(part, "template"), root, "template"
    elif _shape.has_shape(part):
        path, template = _shape.find(part, _shape.COMMAND) or ("", None)
        names = part
    else:
        return None
    if not isinstance(template, str):
        return None
    holder, key, _ = locate_path(part, path)
    whole = f"{entry}.{path}" if entry else path
    return Commanded(part, template, whole, origin_of(holder, key).where, names, root)


def command_faults(root: Any, entry: str) -> list[Fault]:
    """What is wrong with the command of an entry, where it is one, and with what it says that it needs."""
    faults: list[Fault] = []
    try:
        _shape.needs_at(root, entry)
    except SpecError as error:
        faults += error.faults
    if commanded(root, entry) is not None:
        found = commanded(resolve(root), entry)
        faults += found.faults() if found is not None else []
    return faults


def identity_of(root: Any, entry: str) -> str:
    """The hash of what an entry of a resolved spec reaches; of a `Command`, with what its template names.

    Raises:
        SaveError: It holds a live object.
    """
    part = get(root, entry) if entry else root
    found = commanded(root, entry) if _is_command(part) else None
    return hash_of(part if found is None else attach({"command": part, "names": found.reads()}))


def beside(root: Any, entry: str) -> list[str]:
    """The paths of a resolved spec that an entry does not reach, with all below them; its plain names are left out."""
    if not entry or not isinstance(root, SpecMapping):
        return []
    found = reached(root, get(root, entry))
    command = commanded(root, entry) if _is_command(get(root, entry)) else None
    if command is not None:
        with suppress(SpecError):  # which the run tells
            found |= {id(locate_path(root, path)[0]) for path in command.reads()}
    return [path for path in _unreached(root, (), found) if "." in path or "[" in path or _holds(root[path])]


def _unreached(holder: Any, above: tuple[Any, ...], found: set[int]) -> Iterator[str]:
    kind = kind_of(type(holder))
    for key, value in zip(*kind.items(holder), strict=True) if kind is not None else ():
        if id(value) in found:
            continue
        if _holds(value) and not found.isdisjoint(id(part) for _, part in walk(value)):
            yield from _unreached(value, (*above, key), found)
        else:
            yield format_path((*above, key))


def _holds(value: Any) -> bool:
    return kind_of(type(value)) is not None


def experiment_of(spec: Any, entry: str, default: str) -> str:
    """The name of the experiment at an entry, or a default where that says none."""
    part = get(spec, entry) if entry else spec
    name = _shape.said(part, _shape.EXPERIMENT) if _shape.has_shape(part) else None
    return name if isinstance(name, str) else default


def render_command(spec: Any, entry: str = "") -> str:
    """The command of an experiment as a text for a shell, in which every value is quoted.

    What only a run knows stands as `<run.dir>`, a secret as `***`.

    Args:
        spec: An experiment: any dataclass with a command. Or a whole spec.
        entry: In a whole spec, the path of the experiment or `Command`; `main` by default.

    Raises:
        SpecError: There is no command, the template is faulty, or names what is not there.

    >>> from callsheet.run import Experiment, Launch
    >>> launch = Launch("python train.py --name {{hp.name}} --lr {{hp.lr}}")
    >>> render_command(Experiment(launch, hp={"name": "a b", "lr": 0.1}))
    "python train.py --name 'a b' --lr 0.1"
    """
    entry = entry or ("main" if type(spec) is not Command and get(spec, "main", None) is not None else "")
    found = commanded(resolve(attach(spec)), entry)
    if found is None:
        advice = [f"a command stands at one of  {', '.join(_shape.COMMAND.split())}"]
        raise SpecError(Fault(entry, "holds no command", advice=advice))
    return shlex.join(found.words())


def _is_command(part: Any) -> bool:
    if isinstance(part, Command):
        return True
    target = _raw(part, "__target__") if type(part) in INSTANCES else None
    return type(target) is Name and target.key == _COMMAND


TAKEN = ("dir", "id", "index", "attempt", "working_dir", "data_dir", "output_dir")
"""What a template reads below `run` that the run itself tells."""


def given_by(found: Commanded, running: Mapping[str, Any], record: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """What a run tells its command: by path, as the template names it.

    Args:
        found: The command.
        running: The run's `dir`, `id`, `index` and `attempt`.
        record: What its `run.json` says.
        project: Where relative folders start.
    """
    name, number = record.get("experiment", ""), record.get("number", 0)
    folders = {kind: _folder(found.part, kind) for kind in _shape.HOST}
    output = folders["output"] and os.path.join(project, folders["output"], name, str(running["id"]))
    told: dict[str, Any] = {
        **{key: running[key] for key in ("dir", "id", "index", "attempt")},
        "working_dir": moved(os.path.normpath(project / (_working(found) or "."))),
        "data_dir": os.path.normpath(project / folders["data"]) if folders["data"] else moved(str(project)),
        "output_dir": os.path.normpath(output or os.path.join(str(running["dir"]), "output")),
    }
    names = dict.fromkeys(_shape.RUN_NAME.split(), f"{name}-{number}")
    inside = {path: os.path.normpath(project / folder) for path, folder in _seen_here(found.part).items()}
    return {f"run.{key}": told[key] for key in TAKEN} | names | inside


def _working(found: Commanded) -> str:
    return str(raw_item(found.part, "working")) if _is_command(found.part) else _folder(found.part, "working")


def _folder(part: Any, kind: str) -> str:
    """Where an experiment has one of its folders, as this process sees it; "" where it names none."""
    if _is_in_container():
        return _shape.mounts_of(part).get(kind, ("", ""))[1]
    return _shape.folder_of(part, _shape.HOST[kind])


def _seen_here(part: Any) -> dict[str, str]:
    return {} if _is_in_container() else _shape.seen_without_container(part)


def _is_in_container() -> bool:
    """Whether the executor that started this process says that it is in a container."""
    return "CALLSHEET_CONTAINER" in os.environ


class _Later(str):
    """What stands for a value that only the run knows."""

    __slots__ = ()


class _Names(Mapping[str, Any]):
    """What the names of a template mean.

    Attributes:
        read: The values that were asked for, by path, as they stand in the spec.
        waits: Whether one of them is known only when the command runs.
    """

    def __init__(self, found: Commanded, given: Mapping[str, Any] | None) -> None:
        self.read: dict[str, Any] = {}
        self.waits = False
        self._found = found
        self._given = given
        self._inside = _seen_here(found.part)

    def __getitem__(self, name: str) -> Any:
        return self.item(self._found.names, (), name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def item(self, holder: Any, above: tuple[Any, ...], name: Any) -> Any:
        """What a name means below a container.

        Raises:
            SpecError: Nothing; or it is set in the spec, and the run tells it too.
        """
        steps = (*above, name)
        path = ".".join(map(str, steps))
        taken = len(steps) == 2 and steps[0] == "run" and name in TAKEN
        try:
            raw = step_into(holder, name)
        except LookupError:
            if taken:
                return self._told(path)
            if steps == ("run",):
                return _Scope(self, {}, steps)
            fault = nothing_at(holder, (name,), 0)
            raise SpecError(Fault(path, fault.problem, advice=[_below(above, line) for line in fault.advice])) from None
        if path in self._inside:
            return self._given[path] if self._given is not None else self._inside[path]
        if raw is None or raw == "":
            if taken or path in _shape.RUN_NAME.split():
                return self._told(path)
        elif taken:
            advice = [f"leave it out, or give it another name: {path} is what the run tells"]
            raise SpecError(Fault(path, f"is set to {raw!r} in the spec", advice=advice))
        return self._value(raw, steps)

    def _told(self, path: str) -> Any:
        return self._given[path] if self._given is not None else self._later(f"<{path}>")

    def _later(self, shown: str) -> _Later:
        self.waits = True
        return _Later(shown)

    def _value(self, raw: Any, steps: tuple[Any, ...]) -> Any:
        kind = kind_of(type(raw))
        if isinstance(raw, Ref | Secret | Datum | Name) or raw is MISSING:
            self.read[".".join(map(str, steps))] = raw
            if self._given is None:
                return self._later("***" if isinstance(raw, Secret) else f"<{layout(raw)}>")
            return build(raw, root=self._found.root)
        if kind is not None and kind.family in ("list", "tuple"):
            return [self._value(item, (*steps, n)) for n, item in enumerate(kind.items(raw)[1])]
        if kind is not None:
            return _Scope(self, raw, steps)
        self.read[".".join(map(str, steps))] = raw
        return raw


class _Scope:
    """A container of a spec, as a template sees it: its items by name."""

    __slots__ = ("_holder", "_names", "_steps")

    def __init__(self, names: _Names, holder: Any, steps: tuple[Any, ...]) -> None:
        self._names = names
        self._holder = holder
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python and Jinja ask of any object
            raise AttributeError(name)
        return self._names.item(self._holder, self._steps, name)

    def __getitem__(self, key: Any) -> Any:
        return self._names.item(self._holder, self._steps, key)

    def __repr__(self) -> str:
        return layout(self._holder, width=60)


def _below(above: tuple[Any, ...], line: str) -> str:
    """A line of advice of which the path starts further down."""
    prefix = ".".join(map(str, above))
    if not prefix:
        return line.replace("the spec holds", "the names are")
    return line.replace("did you mean  ", f"did you mean  {prefix}.").replace("the spec", prefix)


def variables_of(found: Commanded, experiment: str) -> dict[str, str]:
    """The environment variables of a command that is about to start: those of its trackers, then those that it sets.

    A tracker whose run a command goes on with has begun it then.

    Args:
        found: The command.
        experiment: The name of the experiment, for trackers that ask for it.

    Raises:
        SpecError: One of them is no text.
    """
    part = found.part
    trackers = None if _is_command(part) else _shape.said(part, _shape.TRACKERS)
    variables: dict[str, str] = {}
    built = build(trackers, root=found.root)
    for tracker in built.values() if isinstance(built, dict) else built if isinstance(built, list | tuple) else [built]:
        if tracker is not None:
            variables |= _of_tracker(tracker, experiment)
    folder = _shape.folder_of(part, _shape.MLFLOW)
    if folder:
        variables["MLFLOW_TRACKING_URI"] = f"sqlite:///{os.path.join(os.path.abspath(folder), 'mlflow.db')}"
        variables["MLFLOW_EXPERIMENT_NAME"] = experiment
    env = raw_item(part, "env") if _is_command(part) else _shape.said(part, _shape.ENV)
    own = build(env, root=found.root) or {}
    wrong = [name for name, value in own.items() if not isinstance(value, str | bool | int | float | os.PathLike)]
    if wrong:
        raise SpecError(*(Fault(name, f"is {own[name]!r}, and an environment variable is a text") for name in wrong))
    return variables | {str(name): os.fspath(v) if isinstance(v, os.PathLike) else str(v) for name, v in own.items()}


def _of_tracker(tracker: Any, experiment: str) -> dict[str, str]:
    """What a tracker's own client reads: by its method `hand_over`, or `get_env` as LightEx's loggers have it."""
    if hasattr(tracker, "get_env"):
        return {name: str(value) for name, value in tracker.get_env(experiment)}
    return dict(tracker.hand_over())
