"""What a config imports waits until it is used for real; what is only named stays a name."""

import json
import pickle
import subprocess
import sys
import threading

import pytest

from callsheet import build, check, equal, hash_of, load, target, to_data
from callsheet.errors import LoadError, SpecError
from saying import told

HEAVY = """
    import enum
    print("heavy is imported")

    class Meta(type):
        pass

    class Net:
        size = 3
        def __init__(self, width=1, norm=None, more=None):
            self.width, self.norm, self.more = width, norm, more
        def __class_getitem__(cls, item):
            return list[item]
        @classmethod
        def small(cls, width=0):
            return cls(width)

    class Norm:
        pass

    class Odd(Exception):
        pass

    class Color(enum.Enum):
        RED = 1
        BLUE = 2

    class Number:
        def __init__(self, value): self.value = value
        def __add__(self, other): return self.value + other
        __radd__ = __add__
        def __lt__(self, other): return self.value < other
        def __iter__(self): return iter((1, self.value))
        def __format__(self, form): return f"number {self.value}"

    N = Number(4)
    LR = 0.5
    PAIR = (1, 2)

    def decorate(function):
        function.decorated = True
        return function

    def double(x):
        return 2 * x
"""


@pytest.fixture
def heavy(project, capsys):
    project("heavy.py", HEAVY)

    def loaded(text, *, imported):
        """Load a config of that text; whether that has imported what it names is part of the claim."""
        path = project("conf.py", text)
        spec = load(path)
        assert ("heavy is imported" in capsys.readouterr().out) is imported
        return spec

    return loaded


# --- what stays a name -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from heavy import Net\nx = lazy(Net)(width=3)", {"_target_": "heavy:Net", "width": 3}),
        ("import heavy\nx = lazy(heavy.Net)(width=3)", {"_target_": "heavy:Net", "width": 3}),
        ("import heavy as h\nx = lazy(h.Net)(width=3)", {"_target_": "heavy:Net", "width": 3}),
        ("from heavy import Net as N\nx = lazy(N)(width=3)", {"_target_": "heavy:Net", "width": 3}),
        ("from heavy import Net\nx = lazy(Net.small)(width=3)", {"_target_": "heavy:Net.small", "width": 3}),
        (
            "from heavy import Net, Norm\nx = lazy(Net)(norm=Norm)",
            {"_target_": "heavy:Net", "norm": {"_value_": "name", "of": "heavy:Norm"}},
        ),
        (
            "from heavy import Net, Norm\nx = lazy(Net)(norm=[Norm, (Net, 1)], more={'a': Norm})",
            {
                "_target_": "heavy:Net",
                "norm": [
                    {"_value_": "name", "of": "heavy:Norm"},
                    {"_value_": "tuple", "of": [{"_value_": "name", "of": "heavy:Net"}, 1]},
                ],
                "more": {"a": {"_value_": "name", "of": "heavy:Norm"}},
            },
        ),
        (
            "from heavy import Net, Norm\nx = lazy(Net)(*[1, Norm], **{'more': Norm})",
            {
                "_target_": "heavy:Net",
                "_args_": [1, {"_value_": "name", "of": "heavy:Norm"}],
                "more": {"_value_": "name", "of": "heavy:Norm"},
            },
        ),
        ("from heavy import Net\nL = lazy\nx = L(Net)()", {"_target_": "heavy:Net"}),
        ("from callsheet import lazy as L\nfrom heavy import Net\nx = L(Net)()", {"_target_": "heavy:Net"}),
        ("import callsheet as cs\nfrom heavy import Net\nx = cs.lazy(Net)()", {"_target_": "heavy:Net"}),
        (
            "import callsheet\nfrom heavy import Net\nx = callsheet.partial(Net)()",
            {"_target_": "heavy:Net", "_partial_": True},
        ),
        ("if True:\n    from heavy import Net\nelse:\n    Net = None\nx = lazy(Net)()", {"_target_": "heavy:Net"}),
        ("try:\n    from heavy import Net\nfinally:\n    y = 1\nx = lazy(Net)()", {"_target_": "heavy:Net"}),
        ("from heavy import Net\ndef make():\n    return lazy(Net)(width=2)\nx = make()", {"_target_": "heavy:Net", "width": 2}),
        ("from heavy import Net\nx = [lazy(Net)(width=n) for n in range(1)][0]", {"_target_": "heavy:Net", "width": 0}),
        ("from heavy import Net\nx: Net = lazy(Net)()", {"_target_": "heavy:Net"}),
        (
            "from __future__ import annotations\nfrom heavy import Net\ndef f(net: Net): pass\nx: Net = lazy(Net)()",
            {"_target_": "heavy:Net"},
        ),
        ("from heavy import Net\ndef f(net: Net) -> Net:\n    return net\nx = lazy(Net)()", {"_target_": "heavy:Net"}),
    ],
)  # fmt: skip
def test_what_a_lazy_call_receives_stays_a_name(heavy, text, said):
    future = "from __future__ import annotations\n" if "__future__" in text else ""
    spec = heavy(future + "from callsheet import lazy\n" + text.removeprefix(future) + "\n", imported=False)
    assert to_data(spec["x"]) == said


def test_show_equal_hash_and_save_keep_the_name_and_reading_it_imports(heavy, capsys):
    text = "from callsheet import lazy\nfrom heavy import Net, Norm\nx = lazy(Net)(norm=Norm)\n"
    spec, twin = heavy(text, imported=False), heavy(text, imported=False)
    before = hash_of(spec), repr(spec), to_data(spec)
    assert equal(spec, twin)
    assert capsys.readouterr().out == ""
    assert spec.x.norm is sys.modules["heavy"].Norm
    assert capsys.readouterr().out == "heavy is imported\n"
    assert (hash_of(spec), repr(spec), to_data(spec)) == before
    assert target(spec.x) is sys.modules["heavy"].Net
    assert build(spec.x).norm is sys.modules["heavy"].Norm


def test_a_name_is_the_same_however_the_file_imports_it(heavy):
    ways = [
        ("from heavy import Net", "Net"),
        ("import heavy", "heavy.Net"),
        ("import heavy as h", "h.Net"),
        ("# callsheet: eager\nfrom heavy import Net", "Net"),
        ("try:\n    import heavy as h\nexcept ImportError:\n    h = None", "h.Net"),
    ]
    specs = []
    for line, name in ways:
        eager = "eager" in line or "try" in line
        specs.append(
            heavy(f"{line}\nfrom callsheet import lazy\nx = lazy({name})(1)\n", imported=eager and not specs[3:])
        )
    assert len({hash_of(spec) for spec in specs}) == 1
    assert all(equal(spec, specs[0]) for spec in specs)


# --- what is a use ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("from heavy import Net\nclass Big(Net):\n    pass\nx = Big(3).width", 3),
        ("from heavy import Meta\nclass A(metaclass=Meta):\n    pass\nx = type(A).__name__", "Meta"),
        ("from heavy import decorate\n@decorate\ndef f(): pass\nx = f.decorated", True),
        ("import heavy\n@heavy.decorate\ndef f(): pass\nx = f.decorated", True),
        ("from heavy import N\nx = N + 1", 5),
        ("from heavy import N\nx = 1 + N", 5),
        ("from heavy import N\nx = N < 5", True),
        ("from heavy import N\na, x = N", 4),
        ("from heavy import N\nx = [*N]", [1, 4]),
        ("from heavy import PAIR\nx = sum(PAIR)", 3),
        ("from heavy import Odd\ntry:\n    raise Odd\nexcept Odd:\n    x = 1", 1),
        ("from heavy import Odd\ntry:\n    raise Odd\nexcept (KeyError, Odd) as e:\n    x = type(e).__name__", "Odd"),
        ("from heavy import Net\nx = isinstance(3, Net)", False),
        ("from heavy import Net\nx = str(Net | None)", "heavy.Net | None"),
        ("from heavy import Color\nx = Color.RED.value", 1),
        ("from heavy import Color\nx = Color['RED'].value", 1),
        ("from heavy import Color\nx = [c.value for c in Color]", [1, 2]),
        ("from heavy import Net\nx = str(Net[int])", "list[int]"),
        ("from heavy import N\nx = f'{N}, {N:>3}'", "number 4, number 4"),
        ("from heavy import *\nx = LR", 0.5),
        ("from heavy import LR\nLR *= 2\nx = LR", 1.0),
        ("from heavy import LR\nx = LR", 0.5),
        ("from heavy import LR\nx = {LR: 1, 'a': LR}", {0.5: 1, "a": 0.5}),
        ("from heavy import Net as A, Net as B\nx = A is B", True),
        ("from heavy import Net\nx = len({Net, Net})", 1),
        ("from heavy import Net\nx = {Net: 1}[Net]", 1),
        ("from heavy import double\nfrom functools import partial\nx = partial(double, 3)()", 6),
        ("from heavy import double\nx = list(map(double, [1]))", [2]),
        ("from heavy import double\nx = (lambda v: double(v))(2)", 4),
        ("from heavy import double\ndef f(v=double(1)):\n    return double(v)\nx = f()", 4),
        ("from heavy import Color\nmatch 1:\n    case Color.RED.value:\n        x = 'red'\n    case _:\n        x = 0", "red"),
        ("from heavy import Net\nmatch Net(5):\n    case Net(width=w):\n        x = w", 5),
        ("import heavy\ndef f(c):\n    match c:\n        case heavy.Color.BLUE: return 'blue'\nx = f(heavy.Color.BLUE)", "blue"),
        ("from heavy import Net\nwith __import__('contextlib').nullcontext(Net) as n:\n    x = n.size", 3),
        ("from heavy import N\nx = 1 if N < 9 else 2", 1),
        ("from heavy import Net\nif Net.size == 3:\n    x = 1", 1),
        ("from heavy import N\nx = 0\nfor v in N:\n    x += v", 5),
        ("from heavy import Net\nx = getattr(Net, 'size')", 3),
        ("from heavy import Net\nx = (y := Net).size", 3),
        ("import heavy.sub\nx = heavy.sub.here", 7),
        ("import heavy.sub as s\nx = s.here", 7),
        ("from heavy import sub\nx = sub.here", 7),
    ],
)  # fmt: skip
def test_every_other_use_gets_the_object(project, capsys, text, value):
    project("heavy/__init__.py", HEAVY)
    project("heavy/sub.py", "here = 7\n")
    assert load(project("conf.py", text + "\n"), keys="x") == value
    assert "heavy is imported" in capsys.readouterr().out


def test_c_functions_are_used_and_named_like_any_other(project):
    path = project(
        "conf.py",
        """
        from callsheet import lazy
        from math import sqrt
        from operator import mul
        import itertools
        x = sqrt(9.0)
        y = lazy(mul)(2, lazy(sqrt)(16.0))
        z = lazy(itertools.repeat)(1, times=2)
        """,
    )
    spec = load(path)
    assert (spec.x, build(spec.y), list(build(spec.z))) == (3.0, 8.0, [1, 1])
    assert to_data(spec.y)["_target_"] == "operator:mul"


@pytest.mark.parametrize("header", ["", "from __future__ import annotations\n"])
def test_dataclass_fields_may_have_imported_types_and_defaults(project, header):
    project("heavy.py", HEAVY)
    path = project(
        "conf.py",
        header
        + """\
from dataclasses import dataclass, field, fields
from typing import ClassVar, get_type_hints
from heavy import Color, LR, Net
from callsheet import lazy

@dataclass
class Optim:
    kind: ClassVar[int] = 3
    color: Color = Color.RED
    lr: float = LR
    net: Net | None = None
    nets: list[Net] = field(default_factory=lambda: [lazy(Net)(2)])

names = [f.name for f in fields(Optim)]
hints = get_type_hints(Optim)
right = hints["color"] is Color and hints["net"] == (Net | None)
optim = Optim()
net = lazy(Net)()
""",
    )
    spec = load(path)
    assert list(spec.names) == ["color", "lr", "net", "nets"]
    assert spec.right is True
    assert spec.optim.lr == 0.5
    assert to_data(spec.net) == {"_target_": "heavy:Net"}
    check(spec)


def test_what_a_function_of_the_config_annotates_is_read_when_it_is_asked_for(heavy, capsys):
    spec = heavy(
        """
        from callsheet import lazy
        from heavy import Color
        def paint(color: Color, times: "int" = 1) -> Color:
            return color
        x = lazy(paint)(3)
        """,
        imported=False,
    )
    assert told(lambda: check(spec)).startswith("x[0]  must be Color, found 3")


def test_a_class_of_a_config_can_be_pickled_though_its_base_was_imported(heavy):
    spec = heavy(
        """
        from callsheet import lazy
        from heavy import Net
        class Big(Net):
            pass
        x = lazy(Big)(3)
        """,
        imported=True,
    )
    built = build(spec.x)
    assert type(pickle.loads(pickle.dumps(built))) is type(built)


# --- binding anew -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("from heavy import Net\nNet = dict\nx = lazy(Net)(a=1)", {"a": 1}),
        ("from heavy import LR\nfor LR in (1, 2): pass\nx = lazy(dict)(a=LR)", {"a": 2}),
        ("from heavy import LR\ndef f(LR):\n    return lazy(dict)(a=LR)\nx = f(7)", {"a": 7}),
        ("from heavy import LR\nx = [lazy(dict)(a=LR) for LR in (5,)][0]", {"a": 5}),
        ("from heavy import LR\ndel LR\nLR = 2\nx = lazy(dict)(a=LR)", {"a": 2}),
        ("# callsheet: eager\nfrom heavy import LR\nLR = 2\nx = lazy(dict)(a=LR)", {"a": 2}),
        ("if False:\n    from heavy import LR\nelse:\n    LR = 3\nx = lazy(dict)(a=LR)", {"a": 3}),
    ],
)
def test_a_name_bound_anew_is_what_it_was_bound_to(project, text, value):
    project("heavy.py", HEAVY)
    assert build(load(project("conf.py", "from callsheet import lazy\n" + text + "\n"), keys="x")) == value


def test_a_name_that_was_deleted_is_gone(project):
    project("heavy.py", HEAVY)
    with pytest.raises(NameError, match="'LR'"):
        load(project("conf.py", "from heavy import LR\ndel LR\nx = LR\n"))


# --- imports that happen where they stand -----------------------------------------------------------------------------


def test_a_missing_module_inside_try_is_handled_there(project):
    path = project(
        "conf.py",
        """
        from callsheet import lazy
        try:
            from nothing_like_it import Fused as Optim
        except ImportError:
            from heavy import Net as Optim
        import contextlib
        with contextlib.suppress(ModuleNotFoundError):
            import nothing_like_it
        x = lazy(Optim)()
        """,
    )
    assert to_data(load(path)) == {"x": {"_target_": "heavy:Net"}}


def test_an_import_for_its_effect_alone_happens(heavy):
    heavy("import heavy\nx = 1\n", imported=True)


def test_an_import_that_is_never_used_and_binds_a_name_does_not_happen(heavy):
    heavy("from heavy import Net\nx = 1\n", imported=False)


def test_a_line_opts_out(heavy):
    spec = heavy("# callsheet: eager\nfrom heavy import LR, Net\nx = globals()['LR']\n", imported=True)
    assert spec.x == 0.5


def test_the_words_that_opt_out_count_as_a_line_only(heavy):
    heavy("from heavy import LR\nx = '# callsheet: eager'\n", imported=False)


# --- other config files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "from .base import Net, lazy\nx = lazy(Net)(1)",
        "from .base import *\nx = lazy(Net)(1)",
        "from .base import Net as N, lazy as L\nx = L(N)(1)",
        "from callsheet import lazy\nfrom . import base\nx = lazy(base.Net)(1)",
        "from .base import *\nx = lazy(heavy.Net)(1)",
        "from callsheet import lazy\nfrom . import base\nx = lazy(base.heavy.Net)(1)",
        "from .middle import *\nx = lazy(Net)(1)",
    ],
)
def test_what_another_config_imports_stays_a_name_here_too(heavy, project, text):
    project("base.py", "import heavy\nfrom heavy import Net\nfrom callsheet import lazy\n_y = lazy(heavy.Net)\n")
    project("middle.py", "from .base import *\n")
    spec = heavy(text + "\n", imported=False)
    assert to_data(spec["x"]) == {"_target_": "heavy:Net", "_args_": [1]}


@pytest.mark.parametrize(
    "text",
    [
        "from .base import LR\nx = LR * 2",
        "from .base import *\nx = LR * 2",
        "from . import base\nx = base.LR * 2",
        "def f():\n    from .base import LR\n    return LR * 2\nx = f()",
        "class A:\n    from .base import LR\n    y = LR * 2\nx = A.y",
        "for _ in [1]:\n    from .base import LR\nx = LR * 2",
    ],
)
def test_what_another_config_imports_is_used_here_like_there(heavy, project, text):
    project("base.py", "from heavy import LR\ny = 1\n")
    assert heavy(text + "\n", imported=True).x == 1.0


def test_a_function_of_a_config_may_import_for_itself(heavy):
    spec = heavy(
        """
        from callsheet import lazy
        def make():
            import heavy
            from heavy import Net, LR
            return lazy(Net)(LR, lazy(heavy.Norm)())
        x = make()
        """,
        imported=True,
    )
    assert to_data(spec.x) == {
        "_target_": "heavy:Net",
        "_args_": [{"_value_": "name", "of": "heavy:LR"}, {"_target_": "heavy:Norm"}],
    }


# --- what is told -----------------------------------------------------------------------------------------------------


def test_an_import_that_fails_says_where_it_was_written(project):
    path = project("conf.py", "from callsheet import lazy\n\nfrom nothing_like_it import Net\nx = lazy(Net)()\n")
    assert told(lambda: check(load(path))) == (
        "x  cannot import nothing_like_it.Net: no module named 'nothing_like_it'\n"
        "   set by conf.py:3\n"
        "   the command looks in the project's root and in --path DIR\n"
        "   in Python, sys.path is yours to set"
    )


def test_a_use_that_cannot_be_imported_is_an_import_error_that_names_the_line_of_the_import(project):
    path = project("conf.py", "import nothing_like_it as n\n\nx = n.y\n")
    with pytest.raises(ModuleNotFoundError) as caught:
        load(path)
    assert "conf.py:1" in str(caught.value)
    assert [frame.lineno for frame in caught.traceback if frame.path.name == "conf.py"] == [2]  # 0-based


def test_an_attribute_that_is_not_there_is_named_with_the_nearest(project):
    project("heavy.py", HEAVY)
    path = project("conf.py", "from callsheet import lazy\nimport heavy\nx = lazy(heavy.Nett)()\n")
    text = told(lambda: check(load(path)))
    assert "cannot import heavy.Nett: heavy has no 'Nett'" in text
    assert "did you mean  Net?" in text
    assert "conf.py:3" in text


def test_a_name_of_a_spec_in_an_ordinary_module_is_refused_before_anything_is_built(project):
    project("presets.py", "from callsheet import lazy\nnet = lazy(dict)(width=3)\n")
    text = "from callsheet import lazy\nfrom presets import net\nx = lazy(dict)(a=net)\n"
    path = project("conf.py", text)
    said = (
        "x.a  presets.net is a spec in an ordinary module, and a name of it is not built\n"
        "     set by conf.py:2\n"
        "     bring it into the config:  net = net\n"
        "     or take it from a config file, by a relative import"
    )
    assert told(lambda: check(load(path))) == said
    with pytest.raises(SpecError, match="a name of it is not built"):
        build(load(path))
    advised = load(project("conf.py", text.replace("x =", "net = net\nx =")))
    assert build(advised)["x"] == {"a": {"width": 3}}


def test_tracebacks_show_the_lines_of_the_file(project):
    project("heavy.py", HEAVY)
    path = project(
        "conf.py",
        """
        from heavy import (
            Net,
            double,
        )

        def outer(v):
            return double(
                v,
            ) + Net.nothing


        x = outer(
            3,
        )
        """,
    )
    with pytest.raises(AttributeError) as caught:
        load(path)
    frames = [frame for frame in caught.traceback if frame.path.name == "conf.py"]
    assert [(frame.lineno + 1, frame.name) for frame in frames] == [(12, "<module>"), (9, "outer")]


def test_an_error_inside_the_imported_module_is_its_own(project):
    project("broken.py", "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        load(project("conf.py", "import broken\nx = broken.y\n"))


def test_a_syntax_error_is_told_before_any_file_runs(project, capsys):
    project("late.py", "x = (\n")
    with pytest.raises(LoadError):
        load(project("conf.py", "print('ran')\nfrom .late import x\n"))
    assert capsys.readouterr().out == ""


# --- many at once -----------------------------------------------------------------------------------------------------


def test_threads_may_load_at_once(project):
    project("heavy.py", HEAVY)
    project("base.py", "from heavy import Net, LR\nfrom callsheet import lazy\nwidth = 3\nnet = lazy(Net)(width)\n")
    path = project(
        "conf.py",
        """
        from __future__ import annotations
        from dataclasses import dataclass
        from typing import ClassVar
        from .base import *
        @dataclass
        class C:
            kind: ClassVar[int] = 1
            width: int = 0
        c = C(width)
        total = sum(width for _ in range(100))
        lr = LR * width
        """,
    )
    hashes, errors = [], []

    def work(n):
        try:
            spec = load(path, [f"width={n}"])
            hashes.append((n, spec.total, spec.lr, spec.net[0], spec.c.width, hash_of(spec)))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n % 4,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted({row[:5] for row in hashes}) == [(n, 100 * n, 0.5 * n, n, n) for n in range(4)]
    assert len({row[5] for row in hashes}) == 4


CHILD = """
import json, sys
sys.path.insert(0, {root!r})
if {first!r}:
    __import__({first!r})
from callsheet import hash_of, load, to_data
spec = load({path!r})
print(json.dumps([hash_of(spec), to_data(spec), "heavy" in sys.modules]))
"""


def test_hash_and_data_are_the_same_whether_or_not_it_is_imported_in_any_process(project, tmp_path):
    project("heavy.py", HEAVY)
    path = project(
        "conf.py",
        """
        from callsheet import lazy, partial
        from heavy import Color, Net, Norm
        import heavy
        def mine(): pass
        x = lazy(Net)(norm=Norm, more=[heavy.N, Color.RED])
        y = partial(Net.small)(width=lazy(mine)())
        """,
    )

    def child(first):
        program = CHILD.format(root=str(tmp_path), first=first, path=path)
        out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
        return json.loads(out.splitlines()[-1])

    cold, warm = child(""), child("heavy")
    assert (cold[2], warm[2]) == (False, True)
    assert cold[:2] == warm[:2]
    spec = load(path)
    assert (hash_of(spec), to_data(spec)) == (cold[0], cold[1])


def test_what_a_config_defines_has_its_name_while_another_thread_runs_the_file(project):
    path = project(
        "conf.py",
        """
        from callsheet import lazy
        from gate import enter
        enter()
        class Net: ...
        kind = lazy(dict)(kind=Net)
        """,
    )
    project("gate.py", "import threading\nbusy, free = threading.Event(), threading.Event()\ndef enter(): pass\n")
    spec = load(path)
    before = hash_of(spec)
    gate = sys.modules["gate"]
    gate.enter = lambda: (gate.busy.set(), gate.free.wait(30))
    other = threading.Thread(target=load, args=(path,))
    other.start()
    assert gate.busy.wait(30)
    threading.Timer(0.2, gate.free.set).start()
    assert hash_of(spec) == before
    other.join()
