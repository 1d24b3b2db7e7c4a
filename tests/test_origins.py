"""Promises 10 and 16: every value knows who set it, and what a config file defines has a name of its own."""

import pickle

import pytest

from callsheet import build, edit, equal, from_data, get, hash_of, lazy, load, origin, to_data
from callsheet.errors import CallsheetError, OverrideError


def where(spec, path):
    found = origin(spec, path)
    return found.kind, found.where


# --- origins ----------------------------------------------------------------------------------------------------------


def test_each_value_knows_its_line(project):
    project(
        "conf.py",
        """
        from callsheet import lazy

        epochs = 5
        model = lazy(dict)(
            width=1,
            depth=2,
        )
        data = {
            "a": {"b": 1},
            "c": 2,
        }
        model.width = 3
        data.a.b = 4
        data["d"] = 5
        epochs += 1
    """,
    )
    cfg = load("conf.py")
    assert where(cfg, "epochs") == ("file", "conf.py:15")
    assert where(cfg, "model.depth") == ("file", "conf.py:6")
    assert where(cfg, "model.width") == ("file", "conf.py:12")
    assert where(cfg, "model") == ("file", "conf.py:4")
    assert where(cfg, "data.c") == ("file", "conf.py:10")
    assert where(cfg, "data.a.b") == ("file", "conf.py:13")
    assert where(cfg, "data.d") == ("file", "conf.py:14")


def test_a_value_that_is_taken_from_another_file_knows_that_file(project):
    project("base.py", "\n".join(["x = 0", "lr = 1", "hp = {", "    'a': 1,", "    'b': 2,", "}"]))
    project("conf.py", "from .base import lr as rate, hp\n")
    cfg = load("conf.py")
    assert where(cfg, "rate") == ("file", "base.py:2")
    assert where(cfg, "hp.b") == ("file", "base.py:5")


def test_data_is_the_origin_of_what_it_holds(project):
    project("x.json", '{"a": {"_target_": "m:f", "x": 1}, "l": [{"k": 1}]}')
    cfg = load("x.json", ["a.x=2"])
    assert where(cfg, "l[0].k") == ("data", "x.json:1")
    found = origin(cfg, "a.x")
    assert (found.kind, found.text) == ("override", "a.x=2")
    assert [(value, o.where) for value, o in found.chain()] == [(1, "x.json:1")]


def test_python_is_the_origin_of_what_code_sets(project):
    project("conf.py", "a = {'b': 1}\n")
    cfg = load("conf.py")
    cfg.a.b = 2
    kind, place = where(cfg, "a.b")
    assert (kind, place.rpartition("/")[2].split(":")[0]) == ("file", "test_origins.py")


# --- what a config file defines (10) ----------------------------------------------------------------------------------

OWN = """
    import enum
    from dataclasses import dataclass
    from callsheet import lazy

    class Net:
        def __init__(self, width=1): self.width = width
        def __eq__(self, other): return vars(self) == vars(other)
        class Inner: ...
        @classmethod
        def make(cls, width): return cls(width)

    class Color(enum.Enum):
        RED = 1

    @dataclass
    class Opt:
        lr: float = 0.1

    def double(x): return 2 * x

    main = lazy(Net)(width=4)
    made = lazy(Net.make)(5)
    opt = Opt(0.5)
    values = [lazy(dict)(f=double, cls=Net.Inner), Color.RED]
"""


@pytest.mark.parametrize(
    ("act", "place"),
    [
        (lambda rows: rows.insert(0, 5), 2),
        (lambda rows: rows.insert(-1, 5), 1),
        (lambda rows: rows.pop(0), 0),
        (lambda rows: rows.__delitem__(slice(0, 1)), 0),
        (lambda rows: rows.__setitem__(slice(0, 1), [4, 5, 6]), 3),
        (lambda rows: rows.remove(3), 1),
        (lambda rows: rows.reverse(), 1),
        (lambda rows: rows.sort(), 2),
        (lambda rows: rows.append(5), 1),
        (lambda rows: rows.__imul__(2), 1),
        (lambda rows: edit(rows, ["~0"]), 0),
    ],
)
def test_origins_go_where_the_values_of_a_list_go(act, place):
    spec = from_data({"rows": [1, 2, 3]})
    edit(spec, ["rows.1=9"])
    act(spec.rows)
    kinds = [origin(spec, f"rows[{n}]").kind for n in range(len(spec.rows))]
    assert [n for n, kind in enumerate(kinds) if kind == "override"] == [place]
    assert spec.rows[place] == 9


def test_an_element_that_is_set_has_the_origin_of_the_line_that_sets_it():
    spec = from_data({"rows": [1, 2, 3]})
    edit(spec, ["rows.2=9"])
    spec.rows[-1] = 4
    assert "test_origins.py" in origin(spec, "rows[2]").where


def test_what_is_undone_gives_each_element_of_a_list_its_origin_again():
    spec = from_data({"rows": [1, 2, 3]})
    edit(spec, ["rows.1=9"])
    with pytest.raises(OverrideError):
        edit(spec, ["~rows.0", "nothing=1"])
    assert [origin(spec, f"rows[{n}]").kind for n in range(3)] == ["data", "override", "data"]


def test_what_a_config_defines_is_named_by_path_and_digest(project, tmp_path):
    project("conf.py", OWN)
    data = to_data(load("conf.py"))
    name = data["main"]["_target_"]
    path, _, rest = name.rpartition(":")
    qualname, _, digest = rest.partition("#")
    assert (path, qualname, len(digest)) == (str(tmp_path / "conf.py"), "Net", 12)
    assert data["made"]["_target_"] == f"{path}:Net.make#{digest}"
    assert data["opt"] == {"_type_": f"{path}:Opt#{digest}", "lr": 0.5}
    assert data["values"][0]["f"] == {"_value_": "name", "of": f"{path}:double#{digest}"}
    assert data["values"][0]["cls"] == {"_value_": "name", "of": f"{path}:Net.Inner#{digest}"}
    assert data["values"][1] == {"_value_": "enum", "of": [f"{path}:Color#{digest}", "RED"]}


def test_two_loads_of_the_same_text_are_equal_wherever_the_file_lies(project):
    project("conf.py", OWN)
    project("else/where.py", OWN)
    first, second, third = load("conf.py"), load("conf.py"), load("else/where.py")
    assert equal(first.main, second.main)
    assert equal(first.main, third.main)
    assert hash_of(first.main) == hash_of(second.main) == hash_of(third.main)
    assert equal(first.opt, second.opt)
    assert hash_of(first.opt) == hash_of(third.opt)
    project("conf.py", OWN + "    more = 1\n")
    assert not equal(first.main, load("conf.py").main)


def test_it_is_picklable_and_found_again(project):
    project("conf.py", OWN)
    cfg = load("conf.py")
    again = pickle.loads(pickle.dumps(cfg.main))
    assert equal(again, cfg.main)
    assert build(again).width == 4
    assert build(pickle.loads(pickle.dumps(cfg["values"][0])))["f"](3) == 6


def test_it_is_found_again_by_running_the_file_in_another_process(project):
    import subprocess
    import sys

    project("conf.py", OWN)
    data = to_data(load("conf.py"))
    project(
        "main.py",
        f"""
        from callsheet._decode import decode
        from callsheet import build
        spec = build(decode({data!r}, policy=None, where="data"))
        print(spec["main"].width, spec["made"].width, spec["opt"], spec["values"][0]["f"](3), spec["values"][1])
    """,
    )
    done = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("4 5 Opt(lr=0.5) 6 Color.RED\n", "")


def test_another_version_of_the_file_is_refused(project):
    project("conf.py", "from callsheet import lazy\ndef f(): return 1\nmain = lazy(f)()\n")
    data = to_data(load("conf.py").main)
    data["_target_"] = data["_target_"].rpartition("#")[0] + "#000000000000"
    with pytest.raises(CallsheetError) as caught:
        build(from_data(data, allow=[data["_target_"].rpartition(":")[0]]))
    assert "conf.f was defined by another version of" in str(caught.value)


def test_a_lambda_of_a_config_works_in_this_process_and_has_no_identity(project):
    project("conf.py", "from callsheet import lazy\nmain = lazy(lambda: 5)()\n")
    main = load("conf.py").main
    assert build(main) == 5
    with pytest.raises(CallsheetError, match="is a live object and has no identity"):
        hash_of(main)


def test_a_name_is_the_same_whether_or_not_it_is_imported(project):
    project("train.py", "class Net: ...\n")
    named = lazy("train:Net")()
    before = hash_of(named), to_data(named)
    import train

    assert (hash_of(lazy(train.Net)()), to_data(lazy(train.Net)())) == before
    assert equal(named, lazy(train.Net)())
    assert get({"n": named}, "n") is named


def test_plain_numbers_and_texts_know_the_line_that_bound_them_last(project):
    project("base.py", "rate = 0.1\nagain = max(1, 2)\n")
    path = project(
        "conf.py",
        """
        from .base import again, rate
        width = 3
        rate = 0.2
        total = width * 2 + 1
        sizes = [width]
        width = 4
        sizes = 5
        name = max(1, 2)
        name = "net"
        again = 7
        """,
    )
    spec = load(path)
    assert {name: origin(spec, name).where.rpartition("/")[2] for name in spec} == {
        "again": "conf.py:10",
        "rate": "conf.py:3",
        "width": "conf.py:6",
        "total": "conf.py:4",
        "sizes": "conf.py:7",
        "name": "conf.py:9",
    }
