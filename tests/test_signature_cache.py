"""What was imported once is checked again without importing it, and the outcome never depends on that (promise 19)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

import callsheet
from callsheet import lazy, partial
from callsheet._fit import Judge
from callsheet._known import known_of
from callsheet._remembered import read_known, write_known
from callsheet._signature_cache import cache_folder
from callsheet._target import Name, resolve
from test_check_types import FITS, Dense, Layer, Model, _id

HEAVY = """
from __future__ import annotations
from collections.abc import Callable, Iterable
from pathlib import Path
from sizes import Size

class Base:
    pass

class Net(Base):
    def __init__(self, width: int = 32, rate: float = 0.1, size: Size = 1, *, mode: str | None = None, at: Path | float = 0.5): ...

class Optim:
    def __init__(self, params: Iterable[Base], lr: float, betas: tuple[float, float] = (0.9, 0.99)): ...

def fit(net: Base, optim: Optim, make: Callable[..., Base] | None = None, cls: type[Base] = Net) -> dict[str, float]:
    return {}

def build(net: Net) -> Net:
    return net

constant = 3
"""

CONF = """
from callsheet import lazy, partial
from heavy import Base
net = lazy("heavy:Net")(64, rate=1)
main = lazy("heavy:fit")(net, lazy("heavy:Optim")([net], lr=1e-3), make=partial("heavy:Net")(8), cls=Base)
built = lazy("heavy:build")(net)
"""

CHILD = """
import json, sys
from callsheet import hash_of, load
from callsheet._check import examine
told = []
for overrides in json.loads(sys.argv[2]):
    try:
        spec = load(sys.argv[1], overrides, **json.loads(sys.argv[3]))
        faults, notes = examine(spec)
        told.append([[fault.as_data() for fault in [*faults, *notes]], hash_of(spec) if not faults else ""])
    except Exception as error:
        told.append(repr(error))
    told.append("heavy" in sys.modules)
print(json.dumps(told))
"""


class Project:
    """A project whose `heavy` module takes long to import, and a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.write("heavy.py", HEAVY)
        self.write("sizes.py", "Size = int | tuple[int, int]\n")
        self.write("conf.py", CONF)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        os.utime(path, ns=(0, path.stat().st_mtime_ns))

    def told(
        self, *overrides: list[str], conf: str = "conf.py", cache: Path | str | None = None, program: str = CHILD,
        paths: tuple[str, ...] = (), **options: Any
    ) -> Any:  # fmt: skip
        """For each list of overrides what `check` tells, the hash, and whether `heavy` is imported then."""
        source = Path(callsheet.__file__).parent.parent
        environ = {key: value for key, value in os.environ.items() if key != "XDG_CACHE_HOME"}
        environ["PYTHONPATH"] = os.pathsep.join([str(source), *paths, str(self.folder)])
        environ["CALLSHEET_CACHE"] = str(self.cache if cache is None else cache)
        given = [program, conf, json.dumps(overrides or [[]]), json.dumps(options)]
        done = subprocess.run(
            [sys.executable, "-P", "-c", *given],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def outcome(self, *overrides: str, **options: Any) -> Any:
        """What `check` tells with these overrides where nothing is remembered."""
        return self.told(list(overrides), cache="", **options)[0]

    def pages(self) -> list[Path]:
        return sorted(self.cache.rglob("*.json"))


@pytest.fixture
def heavy(tmp_path):
    return Project(tmp_path)


def test_what_was_checked_once_is_checked_again_without_importing_it(heavy):
    first, imported = heavy.told()
    assert (first[0], imported) == ([], True)
    assert heavy.told() == [first, False]


RIGHT = [
    ["net.0=8"],
    ["net.rate=3"],
    ["net.rate=1e-3"],
    ["net.size=[1,2]"],
    ["net.mode=fast"],
    ["net.mode=null"],
    ["main.1.lr=1"],
    ["main.1.betas=[1,2]"],
    ["main.cls=heavy:Base"],
    ["main.cls=heavy:Net"],
]
WRONG = [
    ["net.0=64x", "net.rate=null", "net.mode=[1]"],
    ["net.widht=3", "net.width=3"],
    ["main.1.betas=[1,x]", "net.size=[1]"],
    ["main.0=3", "main.1=null"],
    ["main.make=heavy:constant"],
    ["main.cls=heavy:Optim"],
    ["main.cls=heavy:Gone"],
]
DOUBTFUL = [["net.at=7"], ["net.at=a/b"]]


def test_whatever_is_typed_comes_to_the_same_with_and_without_what_is_remembered(heavy):
    heavy.told()
    cold = heavy.told(*RIGHT, *WRONG, *DOUBTFUL, cache="")[::2]
    assert heavy.told(*RIGHT) == [told for outcome in cold[: len(RIGHT)] for told in (outcome, False)]
    for overrides, outcome in zip([*WRONG, *DOUBTFUL], cold[len(RIGHT) :], strict=True):
        assert (overrides, heavy.told(overrides)) == (overrides, [outcome, True])
        assert (outcome[0] != []) == (overrides in WRONG)


def test_what_only_importing_can_tell_is_imported(heavy):
    heavy.told()
    (faults, _), imported = heavy.told(["net.0=64x"])
    assert imported
    assert faults[0]["problem"] == "must be int, found '64x'"
    assert faults[0]["advice"] == [
        "Net(width: int = 32, rate: float = 0.1, size: Size = 1, *, mode: str | None = None, at: Path | float = 0.5)"
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("heavy.py", HEAVY.replace("rate: float = 0.1", "rate: str = ''")),
        ("sizes.py", "Size = str\n"),
    ],
    ids=["the module itself", "a module that it takes a type from"],
)
def test_an_edit_of_the_code_counts_at_once(heavy, name, text):
    heavy.write("conf.py", CONF.replace("rate=1", "rate=1, size=2"))
    assert heavy.told()[0][0] == []
    heavy.write(name, text)
    (faults, _), imported = heavy.told()
    assert [fault["problem"].partition(",")[0] for fault in faults] == ["must be str"]
    assert imported


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("heavy.py", HEAVY.replace("rate: float = 0.1", "rate: str = ''"), "net.rate"),
        ("sizes.py", "Size = str\n", "net.size"),
    ],
    ids=["the module itself", "a module that it takes a type from"],
)
def test_a_module_of_the_same_name_elsewhere_is_another(heavy, tmp_path, name, text, path):
    heavy.write("conf.py", CONF.replace("rate=1", "rate=1, size=2"))
    heavy.told()
    heavy.write(f"other/{name}", text)
    (faults, _), _ = heavy.told(paths=(str(tmp_path / "other"),))
    assert [fault["path"] for fault in faults] == [path]


def test_a_module_that_is_gone_is_told(heavy):
    heavy.told()
    (heavy.folder / "heavy.py").unlink()
    (faults, _), _ = heavy.told()
    assert {fault["problem"] for fault in faults} >= {"cannot import heavy.Net: no module named 'heavy'"}


def test_a_package_that_was_installed_since_counts(heavy, tmp_path):
    site = tmp_path / "site-packages"
    (site / "one-1.0.dist-info").mkdir(parents=True)
    assert heavy.told(paths=(str(site),))[1]
    assert not heavy.told(paths=(str(site),))[1]
    (site / "one-1.0.dist-info").rename(site / "one-1.1.dist-info")
    assert heavy.told(paths=(str(site),))[1]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', "null", '{"objects": 3}'])
def test_a_cache_that_is_damaged_counts_for_nothing(heavy, content):
    expected = heavy.told()[0]
    for page in heavy.pages():
        page.write_text(content)
    assert heavy.told() == [expected, True]
    assert heavy.told() == [expected, False]


def test_entries_that_say_nonsense_count_for_nothing(heavy):
    expected = heavy.told()[0]
    for page in heavy.pages():
        data = json.loads(page.read_text())
        data["objects"] = {name: {"known": {"kind": 3}, "steps": []} for name in data["objects"]}
        page.write_text(json.dumps(data))
    assert heavy.told() == [expected, True]


def test_nothing_is_kept_where_nothing_can_be_written(heavy, tmp_path):
    (tmp_path / "file").write_text("")
    expected = heavy.told()[0]
    assert heavy.told(cache=tmp_path / "file" / "below") == [expected, True]
    assert heavy.told(cache="") == [expected, True]


def test_processes_that_write_at_once_leave_a_whole_page(heavy):
    programs = [
        f"from callsheet import check, lazy\nfor n in range(20): check(lazy('heavy:{name}')({args}))"
        for name, args in (("Net", ""), ("Optim", "[], 1.0"), ("build", "lazy('heavy:Net')()"))
    ]
    source = Path(callsheet.__file__).parent.parent
    environ = {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{heavy.folder}", "CALLSHEET_CACHE": str(heavy.cache)}
    children = [subprocess.Popen([sys.executable, "-c", program], env=environ) for program in programs * 2]
    assert [child.wait() for child in children] == [0] * 6
    (page,) = heavy.pages()
    assert json.loads(page.read_text())["objects"].keys() <= {"Net", "Optim", "build"}
    assert [path for path in heavy.cache.rglob("*") if path.is_file()] == [page]


@pytest.mark.parametrize("module", ["heavy", "sizes"])
def test_code_that_was_edited_after_it_was_imported_is_not_remembered(heavy, module):
    program = f"""
    import json, {module}
    from callsheet import check, lazy
    open({module}.__file__, "a").write("# edited")
    check(lazy("heavy:Net")(rate=1.0))
    print(json.dumps("imported before"))
    """
    assert heavy.told(program=textwrap.dedent(program)) == "imported before"
    assert heavy.pages() == []


def test_code_that_changes_while_it_is_imported_is_not_remembered(heavy):
    heavy.write("heavy.py", HEAVY + "open(__file__, 'a').write('#')\n")
    assert heavy.told()[0][0] == []
    assert heavy.pages() == []


def test_the_folder_is_the_users_own_for_such_things(monkeypatch):
    monkeypatch.delenv("CALLSHEET_CACHE")
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == "/home/ada/.cache/callsheet"
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch/ada")
    assert cache_folder() == "/scratch/ada/callsheet"
    monkeypatch.setenv("XDG_CACHE_HOME", "not absolute")
    assert cache_folder() == ""
    monkeypatch.setenv("CALLSHEET_CACHE", "/elsewhere")
    assert cache_folder() == "/elsewhere"


def test_data_is_judged_by_its_policy_all_the_same(heavy):
    heavy.write("door.py", "from functools import partial as run\nfrom heavy import Net\n")
    data = {"a": {"_target_": "heavy:Net", "rate": 1.0}, "b": {"_target_": "door:Net"}, "c": {"_target_": "door:run"}}
    heavy.write("conf.json", json.dumps(data))
    trusted = "main = {'a': lazy('heavy:Net')(), 'b': lazy('door:Net')(), 'c': partial('door:run')(len)}\n"
    heavy.write("trusted.py", "from callsheet import lazy, partial\n" + trusted)
    heavy.told(conf="trusted.py")
    allows = [[], ["heavy"], ["door"], ["heavy", "door"], ["heavy", "door", "functools"], ["heavy:Net", "door:Net"]]
    for allow in allows:
        assert heavy.told(conf="conf.json", allow=allow)[0] == heavy.outcome(conf="conf.json", allow=allow)
    del data["c"], data["b"]
    heavy.write("conf.json", json.dumps(data))
    heavy.told(conf="conf.json", allow=["heavy"])
    assert heavy.told(conf="conf.json", allow=["heavy"]) == [heavy.outcome(conf="conf.json", allow=["heavy"]), False]
    assert heavy.told(conf="conf.json", allow=["sizes"])[0][0] != []


def test_two_names_of_one_object_are_noted_whatever_is_remembered(heavy):
    heavy.write("door.py", "from heavy import Net\n")
    heavy.write("conf.py", "from callsheet import lazy\na = lazy('heavy:Net')()\nb = lazy('door:Net')()\n")
    ((note,), _), _ = heavy.told()
    assert (note["path"], note["origin"], note["problem"]) == (
        "b",
        "conf.py:3",
        "door:Net is heavy:Net by another name, and counts as another target than in a",
    )
    assert heavy.told()[0] == heavy.outcome()


# --- what is remembered may say less than what is there, never more ---------------------------------------------------

HINTS = [hint for hint, _ in FITS] + [Callable[..., Layer], list[Layer] | None, Literal["a"] | None, type[Layer] | None]
VALUES = [value for _, value in FITS] + [
    "x", 3, None, 1.5, [1], ["a"], [None], (1,), {"a": 1}, {"a": "b"}, {1}, object(), Layer, Model, len,
    lazy(Dense)(), lazy(Model)(), partial(Model)(), [lazy(Model)()], Name(__name__, "Gone"), Name("test_check_types", "Model"),
]  # fmt: skip


@pytest.mark.parametrize("hint", HINTS, ids=_id)
def test_a_value_that_fits_what_is_remembered_fits_what_is_there(hint):
    def function(x=None): ...

    function.__annotations__ = {"x": hint}
    function.__defaults__ = (Ellipsis,)

    def look(target: Any) -> Any:
        try:
            return known_of(resolve(target) if type(target) is Name else target)
        except ImportError:
            return None

    def recall(target: Any) -> Any:
        known = look(target)
        return remembered(known) if type(target) is Name and known is not None else known

    def remembered(known: Any) -> Any:
        return read_known(json.loads(json.dumps(write_known(known))))

    there = known_of(function)
    for value in VALUES:
        for declared in (there, remembered(there)):
            form = declared.signature.form("x")
            if not Judge(None, recall, importing=False).misfits(value, form):
                assert Judge(None, look).misfits(value, there.signature.form("x")) == [], (value, form.hint)
