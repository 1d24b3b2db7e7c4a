"""Signatures remembered between processes, so that a config which only names PyTorch is checked without importing it.

What is remembered may say that something fits, never that it does not: where it
leaves a doubt, the module is imported and gives the answer. So the outcome never
depends on what is remembered, and the folder can be lost at any time.
"""

from __future__ import annotations

import os
import sys
import time

from ._annotation import places_of
from ._configfile import MAIN
from ._dispatchers import why_never
from ._hint import Form
from ._known import Known
from ._remembered import read_known, write_known
from ._target import Name
from ._trust import deciding_owner
from .errors import TrustError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, ClassVar

    Place = tuple[str, list[str] | None]
    """The file of a module, and where its submodules are looked for."""

FORMAT = 2
"""Raised with every change in what is written here, or in what a form means."""

_INSTALLED = ("site-packages", "dist-packages")


class SignatureCache:
    """What is remembered of callables and classes, and what this check adds to it.

    An entry counts as long as the files that it was read from are the same: of
    the modules on the way to the object, of those that its class comes from, of
    those whose classes its annotations name; of a project's own code all files
    that were imported for it; and the packages that are installed.
    """

    def __init__(self) -> None:
        self.folder = cache_folder()
        self._before = frozenset(sys.modules)
        self._started = time.time_ns()
        self._pages: dict[str, dict[str, Any]] = {}
        self._known: dict[tuple[str, str], Known | None] = {}
        self._places: dict[str, Place | None] = {}
        self._installed: list[str] | None = None

    def find(self, name: Name) -> Known | None:
        """What is remembered of a name; None where that may have changed, or where it is imported already."""
        top = name.module.partition(".")[0]
        if not self.folder or top in sys.modules or top in sys.stdlib_module_names or name.module.endswith(".py"):
            return None
        key = name.module, name.qualname
        entry = self._page(name.module)["objects"].get(name.qualname)
        if entry is None or not _is_allowed(name, entry):
            return None
        if key not in self._known:
            try:
                self._known[key] = read_known(entry["known"])
            except Exception:  # noqa: BLE001  (whatever is in that file)
                self._known[key] = None
        return self._known[key]

    def names_of(self, module: str) -> list[str]:
        """The names of a module of which something is remembered."""
        return list(self._page(module)["objects"]) if self.folder else []

    def remember(self, found: Iterable[tuple[Name, Known]]) -> None:
        """Keep what was found out by importing, for the processes to come; where nothing can be written, nothing is.

        Args:
            found: Names, with what they turned out to be.
        """
        fresh: dict[str, list[tuple[str, dict[str, Any], set[str]]]] = {}
        for name, known in found:
            if not self.folder or name.module in self._before or name.module not in sys.modules:
                continue
            if name.qualname in self._pages.get(name.module, _NO_PAGE)["objects"]:
                continue
            entry = {"known": write_known(known), "steps": _steps_to(name)}
            modules = self._modules_of(name, known)
            if modules is not None:
                fresh.setdefault(name.module, []).append((name.qualname, entry, modules))
        for module, entries in fresh.items():
            self._add(module, entries)
        self._before = self._before.union(fresh)  # once: the next check may be handed this very cache

    # --- what is on disk ----------------------------------------------------------------------------------------------

    def _page(self, module: str) -> dict[str, Any]:
        """What is remembered of a module's objects, if it still holds; else an empty page."""
        if module not in self._pages:
            self._pages[module] = self._read(module) or dict(_NO_PAGE)
        return self._pages[module]

    def _read(self, module: str) -> dict[str, Any] | None:
        path = self._path(module)
        if path is None:
            return None
        try:
            with open(path, encoding="utf-8") as file:
                page: dict[str, Any] = _data_of(file.read())
            holds = (
                page["format"] == FORMAT
                and page["environment"] == self._environment()
                and all((self._place(m) or ("",))[0] == file for m, file in page["places"].items())
                and all(_stamp(file) == stamp for file, stamp in page["files"].items())
                and isinstance(page["objects"], dict)
            )
        except Exception:  # noqa: BLE001  (whatever is in that file)
            return None
        return page if holds else None

    def _path(self, module: str) -> str | None:
        """The file of what is remembered of a module: by its name, and by where it lies."""
        from binascii import crc32

        place = self._place(module)
        if place is None:
            return None
        python = f"{sys.implementation.cache_tag}-{sys.hexversion:x}"
        return os.path.join(self.folder, "signatures", python, f"{module}-{crc32(place[0].encode()):08x}.json")

    def _add(self, module: str, entries: list[tuple[str, dict[str, Any], set[str]]]) -> None:
        import json

        path = self._path(module)
        page = self._read(module) or dict(_NO_PAGE)
        files, places = dict(page["files"]), dict(page["places"])
        for _, _, modules in entries:
            for name in modules:
                file = _file_of(sys.modules[name])
                files[file] = _stamp(file)
                if "." not in name or f"{module}.".startswith(f"{name}."):
                    places[name] = file
        if path is None or any(_changed(file) >= self._started for file in files):
            return  # what was imported may not be what stands there now
        page = {
            "format": FORMAT,
            "environment": self._environment(),
            "places": places,
            "files": files,
            "objects": {**page["objects"], **{qualname: entry for qualname, entry, _ in entries}},
        }
        scratch = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(scratch, "w", encoding="utf-8") as out:
                json.dump(page, out)
            os.replace(scratch, path)
        except OSError:
            pass  # a full or read-only disk: the next process imports again

    def _environment(self) -> list[str]:
        """What is installed, as pip writes it down."""
        if self._installed is None:
            self._installed = []
            for folder in sys.path:
                try:
                    names = os.listdir(folder) if os.path.basename(folder) in _INSTALLED else []
                except OSError:
                    continue
                told = sorted(name for name in names if name.endswith((".dist-info", ".egg-info", ".pth")))
                self._installed += [folder, *told] if names else []
        return self._installed

    # --- what an answer depends on ------------------------------------------------------------------------------------

    def _modules_of(self, name: Name, known: Known) -> set[str] | None:
        """The modules that what is known of a name was read from; None where that cannot be told for sure."""
        named = {*_chain(name.module), *_chain(known.name.partition(":")[0])}
        named |= {text.partition(":")[0] for text in known.names}
        named |= {str(names.get("__name__")) for _, names, _ in places_of(known.found)}
        if known.signature is not None:
            forms = [*known.signature.forms.values(), known.returned]
            named |= {module for form in forms for module in _modules_in(form)}
        named = {module for module in named if not _is_everywhere(module)}
        if any(not _file_of(sys.modules.get(module)) for module in named):
            return None
        if any(not _is_installed(_file_of(sys.modules[module])) for module in named):
            named |= {module for module in list(sys.modules) if _is_own(module)}
        return None if named & self._before else named

    def _place(self, module: str) -> Place | None:
        """Where Python would import a module from, found without importing it."""
        if module not in self._places:
            self._places[module] = self._locate(module)
        return self._places[module]

    def _locate(self, module: str) -> Place | None:
        package = module.rpartition(".")[0]
        inside = self._place(package) if package else None
        if package and (inside is None or inside[1] is None):
            return None
        for finder in sys.meta_path:
            try:
                spec = finder.find_spec(module, inside[1] if inside is not None else None)
            except Exception:  # noqa: BLE001  (somebody's own finder)
                return None
            if spec is not None:
                within = spec.submodule_search_locations
                return (spec.origin, None if within is None else list(within)) if spec.origin else None
        return None


_NO_PAGE: dict[str, Any] = {"files": {}, "places": {}, "objects": {}}


def cache_folder() -> str:
    """Where things are kept that cost only time when they are lost; "" where the user wants nothing kept."""
    given = os.environ.get("CALLSHEET_CACHE")
    if given is not None:
        return given
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "callsheet") if os.path.isabs(base) else ""


class _Plain:
    """What Python's JSON scanner wants to be told."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, float
    memo: ClassVar[dict[str, str]] = {}


def _data_of(text: str) -> Any:
    """What `json.loads` gives, without importing `json`, which takes as long as Python takes to start."""
    try:
        from _json import make_scanner
    except ImportError:  # of an interpreter that has it in Python alone
        import json

        return json.loads(text)
    found, end = make_scanner(_Plain)(text, 0)  # type: ignore[arg-type]
    if end != len(text):
        raise ValueError("more than one value")
    return found


def _is_allowed(name: Name, entry: dict[str, Any]) -> bool:
    """Whether the policy of a name, if it has one, allows what the name led to; asked anew of each spec."""
    policy = name.policy
    if policy is None:
        return True
    try:
        policy.judge_name(name.module, name.qualname, name.where)
    except TrustError:
        return False
    steps = entry["steps"]
    return all(
        bool(owner) and not why_never(owner, qualname) and policy.allows(owner, qualname, on_the_way=n < len(steps))
        for n, (owner, qualname) in enumerate(steps, 1)
    )


def _steps_to(name: Name) -> list[list[str]]:
    """What a policy has to know of each object on the way to a name's."""
    found: Any = sys.modules[name.module]
    steps = []
    for part in name.qualname.split("."):
        found = getattr(found, part, None)
        owner, qualname = deciding_owner(found)
        steps.append(["" if isinstance(found, type(sys)) else owner, qualname])
    return steps


def _chain(module: str) -> Iterator[str]:
    """A module and the packages that it lies in."""
    while module:
        yield module
        module = module.rpartition(".")[0]


def _modules_in(form: Form) -> Iterator[str]:
    if isinstance(form.of, type):
        yield form.of.__module__
    for part in form.parts:
        yield from _modules_in(part)


def _is_everywhere(module: str) -> bool:
    """Whether a module belongs to Python, or to Callsheet, whose versions an entry is kept for."""
    top = module.partition(".")[0]
    if top == __name__.partition(".")[0]:
        return True
    file = _file_of(sys.modules.get(module))
    if not file:
        return top in sys.stdlib_module_names
    return file.startswith(_PYTHON + os.sep) and not _is_installed(file)


_PYTHON = os.path.dirname(os.__file__)


def _is_own(module: str) -> bool:
    """Whether an imported module is the project's own code."""
    file = _file_of(sys.modules.get(module))
    if not file or module in MAIN or ":" in module or _is_everywhere(module):
        return False
    return not _is_installed(file)


def _is_installed(file: str) -> bool:
    return any(part in _INSTALLED for part in file.split(os.sep))


def _file_of(module: Any) -> str:
    spec = getattr(module, "__spec__", None)
    file = getattr(spec, "origin", None) or getattr(module, "__file__", None)
    return file if isinstance(file, str) and os.path.isfile(file) else ""


def _stamp(file: str) -> list[int] | None:
    """What changes when a file does."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_size]


def _changed(file: str) -> float:
    """When a file was last changed or put in its place."""
    try:
        found = os.stat(file)
    except OSError:
        return float("inf")
    return max(found.st_mtime_ns, found.st_ctime_ns)
