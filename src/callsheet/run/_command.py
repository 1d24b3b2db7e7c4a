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
from callsheet._check import find_faults
from callsheet._equal import hash_of
from callsheet._items import origin_of, raw_item
from callsheet._lazy import get, locate_path
from callsheet._path import format_path
from callsheet._resolve import reached, resolve
from callsheet._running import moved
from callsheet._signature_cache import SignatureCache
from callsheet._spec import INSTANCES, attach
from callsheet._spec import Mapping as SpecMapping
from callsheet._target import Name
from callsheet._tree import kind_of, walk
from callsheet.errors import Fault, SpecError
from callsheet.run import _shape
from callsheet.run._experiment import Command
from callsheet.run._groups import groups_in
from callsheet.run._meaning import TAKEN, Names, folder_seen, seen_here
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
        return self._filled(Names(self.part, self.names, self.root, given))

    def reads(self) -> dict[str, Any]:
        """The values that the template names, by path, as they stand in the spec."""
        names = Names(self.part, self.names, self.root, None)
        self._filled(names)
        return names.read

    def faults(self) -> list[Fault]:
        """What is wrong with it, as far as that can be told before it runs."""
        names = Names(self.part, self.names, self.root, None)
        try:
            self._filled(names)
        except ExpressionError as error:
            return [] if names.waits else list(error.faults)
        except SpecError as error:
            return list(error.faults)
        return []

    def _filled(self, names: Names) -> list[str]:
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


def faults_below(root: Any, entry: str, cache: SignatureCache | None = None) -> list[Fault]:
    """What is wrong with what an entry reaches; where that is nothing, with its command.

    Args:
        root: The whole spec.
        entry: A path; "" for the whole.
        cache: What is remembered of signatures, for whoever checks many specs.
    """
    only = reached(root, get(root, entry)) if entry else None
    return find_faults(root, only=only, cache=cache) or command_faults(root, entry)


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


def given_by(found: Commanded, running: Mapping[str, Any], record: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """What a run tells its command: by path, as the template names it.

    Args:
        found: The command.
        running: The run's `dir`, `id`, `index` and `attempt`.
        record: What its `run.json` says.
        project: Where relative folders start.
    """
    name, number = record.get("experiment", ""), record.get("number", 0)
    folders = {kind: folder_seen(found.part, kind) for kind in _shape.HOST}
    output = folders["output"] and os.path.join(project, folders["output"], name, str(running["id"]))
    told: dict[str, Any] = {
        **{key: running[key] for key in ("dir", "id", "index", "attempt")},
        "working_dir": moved(os.path.normpath(project / (_working(found) or "."))),
        "data_dir": os.path.normpath(project / folders["data"]) if folders["data"] else moved(str(project)),
        "output_dir": os.path.normpath(output or os.path.join(str(running["dir"]), "output")),
    }
    names = dict.fromkeys(_shape.RUN_NAME.split(), f"{name}-{number}")
    inside = {path: os.path.normpath(project / folder) for path, folder in seen_here(found.part).items()}
    return {f"run.{key}": told[key] for key in TAKEN} | names | inside


def _working(found: Commanded) -> str:
    return str(raw_item(found.part, "working")) if _is_command(found.part) else folder_seen(found.part, "working")


def variables_of(found: Commanded, experiment: str, project: Path) -> dict[str, str]:
    """The environment variables of a command that is about to start: those of its trackers, then those that it sets.

    A tracker whose run a command goes on with has begun it then.

    Args:
        found: The command.
        experiment: The name of the experiment, for trackers that ask for it.
        project: Where relative folders start.

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
    folder = folder_seen(part, "mlflow")
    if folder:
        variables["MLFLOW_TRACKING_URI"] = f"sqlite:///{os.path.normpath(project / folder / 'mlflow.db')}"
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
