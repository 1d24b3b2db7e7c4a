"""Words where a class or a callable is declared: they name it, and what names nothing is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from callsheet import build, check, lazy, load, origin, override, save, to_data
from callsheet._target import Name
from callsheet.errors import OverrideError, SpecError

LAYERS = """
class Norm: ...
class BatchNorm(Norm): ...
class LayerNorm(Norm): ...
class Other: ...
def relu(x): return x
def gelu(x): return x
size = 3
"""
NETS = """
from collections.abc import Callable
from layers import Norm, BatchNorm, relu
class Net:
    def __init__(self, norm: type[Norm] = BatchNorm, act: Callable = relu, said: str | Callable = "relu",
                 maybe: type[Norm] | None = None, all: list[type[Norm]] = (), name: str = "", free=None):
        self.all = [norm.__name__, act.__name__, said, maybe, [n.__name__ for n in all], name, free]
"""


@pytest.fixture
def files(project):
    project("layers.py", LAYERS)
    project("nets.py", NETS)
    project("more.py", "from layers import Norm\nclass GroupNorm(Norm): ...\nclass LayerNorm(Norm): ...\n")
    return project


def checked(*said, name="conf.py"):
    cfg = load(name, said)
    check(cfg)
    return cfg


CONF = "from callsheet import lazy\nfrom nets import Net\nnet = lazy(Net)(norm=None)\ndel net.norm\n"


@pytest.mark.parametrize(
    ("said", "slot", "name"),
    [
        ("norm=LayerNorm", 0, "LayerNorm"),  # beside the default
        ("norm=layers.LayerNorm", 0, "LayerNorm"),
        ("norm=layers:LayerNorm", 0, "LayerNorm"),
        ("norm=more.GroupNorm", 0, "GroupNorm"),
        ("act=gelu", 1, "gelu"),
    ],
)
def test_a_word_names_what_stands_beside_what_is_there_by_default(files, said, slot, name):
    files("conf.py", CONF)
    assert build(checked(f"net.{said}"))["net"].all[slot] == name


def test_a_word_names_what_stands_beside_the_declared_class_and_inside_of_lists(files):
    files("conf.py", CONF)
    made = build(checked("net.maybe=BatchNorm", "net.all=[LayerNorm,more.GroupNorm]"))["net"].all
    assert (made[3].__name__, made[4]) == ("BatchNorm", ["LayerNorm", "GroupNorm"])
    assert build(checked("net.maybe=null"))["net"].all[3] is None


def test_what_the_file_binds_comes_first_and_stays_a_name(files):
    files(
        "conf.py",
        """
        from callsheet import lazy
        from layers import BatchNorm
        from more import GroupNorm, LayerNorm
        import more as m
        from nets import Net
        net = lazy(Net)(norm=BatchNorm)
        """,
    )
    for word, full in [("LayerNorm", "more"), ("GroupNorm", "more"), ("m.GroupNorm", "more"), ("Norm", "layers")]:
        cfg = checked(f"net.norm={word}")
        assert to_data(cfg)["net"]["norm"] == {"_value_": "name", "of": f"{full}:{word.removeprefix('m.')}"}
        assert origin(cfg, "net.norm").text == f"net.norm={word}"
    save(cfg, "saved.json")
    assert load("saved.json") == cfg


def test_a_word_that_names_nothing_or_no_such_class_is_refused(files):
    files("conf.py", CONF)
    problems = []
    for said in ("norm=LayerNrom", "norm='LayerNorm'", "act=lenn", "norm=size", "norm=layers.Nothing", "norm=Other"):
        with pytest.raises(SpecError) as caught:
            checked(f"net.{said}")
        problems += [fault.problem for fault in caught.value.faults]
    assert problems == [
        "must be type[Norm], and 'LayerNrom' names nothing",
        "must be type[Norm], found 'LayerNorm'",
        "must be Callable, and 'lenn' names nothing",
        "must be type[Norm], found 3",
        "cannot import layers.Nothing: layers has no 'Nothing'",
        "must be type[Norm], found Other",
    ]


def test_a_builtin_is_named_where_nothing_else_has_its_name(files):
    files("conf.py", CONF)
    assert build(checked("net.act=abs"))["net"].all[1] == "abs"

    def fit(cls: type = Norm, reduce: Callable[..., object] | Literal["sum"] = "sum", all: tuple[type, ...] = ()):
        return cls, reduce, all

    assert build(override(lazy(fit)(), ["cls=int", "reduce=min", "all=[int]"])) == (int, min, (int,))
    assert override(lazy(fit)(), "reduce=sum").reduce == "sum"
    with pytest.raises(OverrideError, match="must be type, and 'intt' names nothing"):
        override(lazy(fit)(), "cls=intt")


def test_where_a_text_is_declared_too_a_word_stays_a_text(files):
    files("conf.py", CONF)
    made = build(checked("net.said=gelu", "net.name=LayerNorm", "net.free=relu"))["net"].all
    assert (made[2], made[5], made[6]) == ("gelu", "LayerNorm", "relu")
    assert build(checked("net.said=layers.gelu"))["net"].all[2] == "layers.gelu"


def test_what_is_added_to_a_list_becomes_what_is_declared_for_its_items(files):
    files("conf.py", CONF.replace("norm=None", "all=[]").replace("del net.norm", "tags = lazy(tag)(tags=['a'])"))
    files("marks.py", "def tag(tags: list[str], sizes: tuple[float, ...] = (1.0,)): return tags, sizes\n")
    files("conf.py", "from marks import tag\n" + Path("conf.py").read_text())
    cfg = checked("net.all=[LayerNorm]", "net.all+=[BatchNorm]", "tags.tags[0:0]=[1]", "tags.tags+=[2,3]")
    assert build(cfg)["net"].all[4] == ["LayerNorm", "BatchNorm"]
    assert build(cfg)["tags"][0] == ["1", "a", "2", "3"]
    check(cfg)
    assert build(cfg)["tags"][0] == ["1", "a", "2", "3"]
    with pytest.raises(SpecError, match="tags.tags  must be list\\[str\\], found 3"):
        checked("tags.tags=3")


class Norm: ...


class BatchNorm(Norm): ...


@dataclass
class Options:
    norm: type[Norm] = Norm
    act: Callable[..., object] | None = None


def test_of_a_dataclass_or_a_callable_that_is_given_itself_the_word_is_read_at_once():
    made = override({"o": Options(), "c": lazy(Options)()}, ["o.norm=BatchNorm", "c.norm=BatchNorm"])
    assert isinstance(made.o.norm, Name)
    assert build(made) == {"o": Options(BatchNorm), "c": Options(BatchNorm)}
    assert made.c.norm is BatchNorm
    with pytest.raises(OverrideError, match="must be type\\[Norm\\], and 'Nrom' names nothing"):
        override(Options(), "norm=Nrom")
    assert build(override(lazy(Options)(), f"act={__name__}.BatchNorm")).act is BatchNorm
