"""YAML files: version 1.2 as people write it, sharing as anchors, nothing but data; what is saved loads back equal."""

import json
import math
import pathlib
import subprocess
import sys

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet import build, equal, hash_of, lazy, load, origin, plain, ref, save
from callsheet._spec import attach
from callsheet.errors import CallsheetError, DepthError, LoadError, SaveError
from callsheet.formats.yaml import read
from saying import told
from shapes import Net, call
from test_codec import SHARED, VALUES, specs


def value(text):
    return read(f"x: {text}\n", "x.yaml")["x"]


# --- what a plain text stands for: the core schema of YAML 1.2 --------------------------------------------------------

CORE = {
    "1e-3": 0.001, "1E5": 1e5, "-1.5e+3": -1500.0, ".5": 0.5, "1.": 1.0, "+.5": 0.5, "-0.0": -0.0, "1.0": 1.0,
    ".inf": math.inf, "-.INF": -math.inf, "+.Inf": math.inf,
    "12": 12, "012": 12, "-7": -7, "+3": 3, "0": 0, "0o17": 15, "0x1F": 31,
    "true": True, "True": True, "FALSE": False, "null": None, "Null": None, "~": None, "": None,
}  # fmt: skip

TEXTS = ["no", "NO", "Yes", "on", "Off", "y", "n", "1_000", "1:30", "0b11", "0o8", "0x", "2020-01-01", "1e", "e3", ".",
         "-", "+", "..5", "1.2.3", "tRUE", "nULL", "inf", "nan", "1e-3x", "=", "\uff11\uff12"]  # fmt: skip


@pytest.mark.parametrize("text", CORE)
def test_numbers_truth_values_and_nothing_are_what_they_say(text):
    found = value(text)
    assert (type(found), found) == (type(CORE[text]), CORE[text])
    assert math.copysign(1, found or 0) == math.copysign(1, CORE[text] or 0)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_nan(text):
    assert math.isnan(value(text))


@pytest.mark.parametrize("text", [text for text in TEXTS if text != "-"])
def test_everything_else_is_a_text(text):
    assert value(text) == text


@pytest.mark.parametrize("text", ["'1'", '"true"', "'~'", '""', "|-\n  12", ">-\n  null", "! 5", "!!str 1e-3"])
def test_what_is_quoted_or_said_to_be_a_text_is_one(text):
    assert type(value(text)) is str


@pytest.mark.parametrize(
    ("text", "expected"), [("!!float 1", 1.0), ("!!int 0x10", 16), ("!!null ~", None), ("!!bool true", True)]
)
def test_tags_of_the_core_schema_are_followed(text, expected):
    assert (type(value(text)), value(text)) == (type(expected), expected)


def test_keys_are_read_like_values():
    keys = list(read("1: a\n2.5: b\n~: d\nno: e\n'1': f\nfalse: g\n1e-3: h\n", "x.yaml"))
    assert [(type(key), key) for key in keys] == [
        (int, 1), (float, 2.5), (type(None), None), (str, "no"), (str, "1"), (bool, False), (float, 0.001),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n...\n", "\ufeff"])
def test_an_empty_file_is_an_empty_config(project, text):
    project("x.yaml", text)
    assert plain(load("x.yaml")) == ({} if "---" not in text else None)


def test_a_config_reads_as_it_looks(project):
    project(
        "conf.yaml",
        """
        # hyperparameters
        epochs: 5
        model:
          _target_: train.Net
          width: 64
        optim: {_target_: train.Adam, lr: 1e-3, betas: [0.9, 0.999]}
        log: ${model.width} units
        """,
    )
    cfg = load("conf.yaml", ["model.width=32"])
    assert equal(
        cfg,
        attach({
            "epochs": 5,
            "model": lazy("train.Net")(width=32),
            "optim": lazy("train.Adam")(lr=0.001, betas=[0.9, 0.999]),
            "log": "${model.width} units",
        }),
    )  # fmt: skip
    assert cfg.log == "32 units"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_yaml(project, tmp_path, encoding):
    (tmp_path / "x.yaml").write_bytes("name: é漢😀\n".encode(encoding))
    assert load("x.yaml").name == "é漢😀"


def test_the_parser_in_python_gives_the_same(project, monkeypatch):
    project(
        "x.yaml",
        "a: &a {x: 1e-3, y: [no, ~]}\nb: {<<: *a, z: |\n  two\n  lines\n  }\n".replace("|\n  two\n  lines\n  ", "2"),
    )
    fast = load("x.yaml")
    monkeypatch.delattr(yaml, "CBaseLoader")
    assert equal(load("x.yaml"), fast)
    project("bad.yaml", "a: 1\nb: [1\n")
    assert told(lambda: load("bad.yaml")).startswith("bad.yaml:3  ")


def test_reading_imports_nothing_and_yaml_only_when_a_file_is_yaml(project):
    project("noisy.py", "raise SystemExit('imported')\n")
    project("x.yaml", "a: {_target_: noisy.Net}\nb: {_value_: enum, of: ['noisy:Color', RED]}\n")
    project(
        "main.py",
        """
        import sys
        from callsheet import load, save
        save({"a": 1}, "x.json")
        load("x.json")
        assert "yaml" not in sys.modules
        save(load("x.yaml"), "y.yaml")
        assert "noisy" not in sys.modules
        """,
    )
    done = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_pyyaml_the_error_names_the_extra(project, monkeypatch):
    project("x.yaml", "a: 1\n")
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert told(lambda: load("x.yaml")) == "x.yaml is YAML, which needs PyYAML\n  pip install 'callsheet[yaml]'"


# --- sharing and merge keys -------------------------------------------------------------------------------------------


def test_an_alias_of_a_call_is_that_call(project):
    project("x.yaml", "a: &net {_target_: 'shapes:Net', width: 1}\nb: {net: *net}\nc: [*net]\n")
    cfg = load("x.yaml", ["b.net.width=2"], allow=["shapes"])
    assert cfg.a is cfg.b.net is cfg.c[0]
    assert cfg.a.width == 2
    built = build(cfg)
    assert built["a"] is built["b"]["net"] is built["c"][0]


def test_an_alias_of_a_dataclass_is_that_instance(project):
    project("x.yaml", "a: &o {_type_: 'shapes:Optim', lr: 0.5}\nb: *o\n")
    cfg = load("x.yaml")
    assert cfg.a is cfg.b


def test_an_alias_of_a_plain_mapping_or_list_stands_for_itself_at_each_place(project):
    project("x.yaml", "a: &d {lr: 1, l: &l [1]}\nb: *d\nc: *l\n")
    cfg = load("x.yaml", ["b.lr=2"])
    assert plain(cfg) == {"a": {"lr": 1, "l": [1]}, "b": {"lr": 2, "l": [1]}, "c": [1]}


def test_a_call_inside_an_aliased_mapping_is_one_call(project):
    project("x.yaml", "a: &d {net: {_target_: 'shapes:Net'}}\nb: *d\n")
    cfg = load("x.yaml")
    assert cfg.a is not cfg.b
    assert cfg.a.net is cfg.b.net


def test_sharing_by_place_is_read_too(project):
    project("x.yaml", "a: {_same_: c.net}\nb: {_same_: a}\nc: {net: {_target_: 'shapes:Net'}}\n")
    cfg = load("x.yaml")
    assert cfg.a is cfg.b is cfg.c.net


def test_anchors_of_scalars_and_as_keys(project):
    project("x.yaml", "a: &n 5\nb: *n\nc: {*n : 1}\nd: &n 6\ne: *n\n")
    assert plain(load("x.yaml")) == {"a": 5, "b": 5, "c": {5: 1}, "d": 6, "e": 6}


@pytest.mark.parametrize(
    "text",
    [
        "{<<: *a, y: 9}",
        "{y: 9, <<: *a}",
        "{<<: [*a], y: 9}",
        "{<<: [*a, {x: 8, z: 3}, {z: 7}], y: 9}",
        "{<<: {x: 1, z: 3}, y: 9}",
    ],
)
def test_merge_keys_as_pyyaml_reads_them(text):
    document = f"a: &a {{x: 1, y: 2, z: 3}}\nb: {text}\n"
    found = read(document, "x.yaml")
    assert found == yaml.safe_load(document) == {"a": {"x": 1, "y": 2, "z": 3}, "b": {"x": 1, "y": 9, "z": 3}}
    assert list(found["b"]) == list(yaml.safe_load(document)["b"])


def test_a_merged_call_is_another_call_with_the_same_arguments(project):
    project("x.yaml", "a: &a {_target_: 'm:f', x: 1}\nb: {<<: *a, y: 2}\n")
    cfg = load("x.yaml")
    assert equal(cfg.b, lazy("m:f")(x=1, y=2))
    assert cfg.a is not cfg.b


def test_a_quoted_merge_key_is_a_key_like_others():
    assert read("'<<': 1\n", "x.yaml") == {"<<": 1}


# --- what is wrong, told by its line ----------------------------------------------------------------------------------

WRONG = {
    "a key twice": ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "has the key 'c' twice"),
    "keys that are equal": ("1: a\n1.0: b\n", 2, "has the key 1.0 twice"),
    "a tag of Python": ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2,
                        "has the tag !!python/object/apply:os.system, and data has none\n"
                        "a call is written  _target_: module:name"),
    "a tag of one's own": ("a: !env HOME\n", 1,
                           "has the tag !env, and data has none\na call is written  _target_: module:name"),
    "a set": ("a: !!set {x}\n", 1, "has the tag !!set, and data has none\na call is written  _target_: module:name"),
    "a tag that is not true": ("a: !!int x\n", 1, "'x' is no int"),
    "a second document": ("a: 1\n---\nb: 2\n", 2, "starts a second document, and a config is one"),
    "an alias of nothing": ("base: &base 1\nb: *bsae\n", 2,
                            "*bsae stands for nothing: above it is no &bsae\ndid you mean  *base?"),
    "an alias inside of itself": ("a: &a\n  b: [*a]\n", 2, "*a stands inside of what it stands for"),
    "a key that is a list": ("a: 1\n? [1, 2]\n: 3\n", 2,
                             "has a key that is a list\nwrite  _items_: [[key, value], ...]"),
    "a merge of no mapping": ("a: 1\nb: {<<: 5}\n", 2, "'<<' takes a mapping, or a list of mappings"),
    "two merges": ("a: &a {}\nb:\n  <<: *a\n  <<: *a\n", 4, "has the key '<<' twice\nwrite  <<: [*a, *b]"),
    "an open bracket": ("a: [1,\nb: 2\n", 3, "is not valid YAML: did not find expected ',' or ']'"),
    "a tab": ("a:\n\tb: 1\n", 2, "is not valid YAML: found character that cannot start any token\nb: 1"),
    "a colon too many": ("a: b: c\n", 1, "is not valid YAML: mapping values are not allowed in this context\na: b: c"),
    "a null byte": ("a: 1\nb: '\0'\n", 2, "is not text: it holds the character U+0000"),
    "a number of too many digits": ("a: 1\nb: " + "9" * 5000, 2,
                                    "holds a number of 5,000 digits, and 4,300 are allowed"),
    "an argument that is no name": ("a:\n  _target_: m:f\n  1: 2\n", 1, "a  has the argument 1, which is no name"),
    "a reserved key": ("a: 1\nb:\n  c: {_args_: []}\n", 3, "b.c  has _args_, which has no meaning here"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "problem"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_line(project, tmp_path, text, line, problem):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(LoadError) as caught:
        load("x.yaml")
    (fault,) = caught.value.faults
    assert f"{fault.path}  {fault.problem}".strip() + "".join(f"\n{a}" for a in fault.advice) == problem
    assert fault.origin == f"x.yaml:{line}"


def test_what_is_no_text_is_told_with_its_line(project, tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"a: 1\nb: \xff\n")
    assert told(lambda: load("x.yaml")) == (
        "x.yaml:2  is not text: 'utf-8' codec can't decode byte 0xff in position 8: invalid start byte"
    )


# --- origins ----------------------------------------------------------------------------------------------------------


def where(spec, path):
    return origin(spec, path).where


def test_each_value_knows_its_line(project):
    project(
        "conf.yaml",
        """
        epochs: 5
        base: &base
          x: 1
          y: 2
        model:
          _target_: train:Net
          _args_:
            - 1
            - {deep: [a,
                b]}
          width: 64
          layers: !!seq
            - _target_: train:Layer
              n: 1
        merged: {<<: *base, y: 3}
        again: *base
        pair:
          _value_: tuple
          of:
            - {_target_: m:f, x: 1}
        odd key: {1: a,
          2: b}
        items:
          _items_:
            - [[_value_], 1]
        """.replace("[[_value_], 1]", "[{_value_: tuple, of: [1]}, {q: 2}]").replace(" !!seq", ""),
    )
    cfg = load("conf.yaml")
    found = {
        path: where(cfg, path)
        for path in ("epochs", "model", "model[0]", "model[1].deep[1]", "model.width", "model.layers[0].n", "merged.x",
                     "merged.y", "again.x", "again", '["odd key"][2]')
    }  # fmt: skip
    assert found == {
        "epochs": "conf.yaml:1",
        "model": "conf.yaml:5",
        "model[0]": "conf.yaml:8",
        "model[1].deep[1]": "conf.yaml:10",
        "model.width": "conf.yaml:11",
        "model.layers[0].n": "conf.yaml:14",
        "merged.x": "conf.yaml:3",
        "merged.y": "conf.yaml:15",
        "again.x": "conf.yaml:3",
        "again": "conf.yaml:16",
        '["odd key"][2]': "conf.yaml:22",
    }
    assert where(cfg.pair[0], "x") == "conf.yaml:20"
    assert where(cfg["items"][(1,)], "q") == "conf.yaml:25"


def test_what_an_override_replaced_knows_its_line(project):
    project("conf.yaml", "a:\n  b: 1\n")
    (replaced,) = origin(load("conf.yaml", ["a.b=2"]), "a.b").chain()
    assert (replaced[0], replaced[1].where) == (1, "conf.yaml:2")


def test_of_a_file_that_has_changed_since_only_the_name_is_told(project):
    path = project("conf.yaml", "a: 1\nb: 2\n")
    cfg = load("conf.yaml")
    pathlib.Path(path).write_text("# new\na: 1\nb: 2\n")
    assert where(cfg, "b") == "conf.yaml"
    cfg = load("conf.yaml")
    pathlib.Path(path).unlink()
    assert where(cfg, "b") == "conf.yaml"


def test_errors_of_what_a_file_names_know_their_line(project):
    project("conf.yaml", "a: 1\nmain:\n  _target_: fractions:Fraction\n")
    with pytest.raises(CallsheetError) as caught:
        build(load("conf.yaml"))
    assert caught.value.faults[0].origin.startswith("conf.yaml:")


# --- saving -----------------------------------------------------------------------------------------------------------


def there_and_back(spec, path):
    spec = attach(spec)
    save(spec, path)
    again = load(path)
    assert equal(spec, again)
    assert equal(again, spec)
    assert hash_of(spec) == hash_of(again)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", VALUES.values(), ids=VALUES)
def test_every_kind_of_value_comes_back(tmp_path, spec):
    there_and_back({"x": spec}, tmp_path / "x.yaml")
    there_and_back([spec, (spec,)], tmp_path / "x.yml")


@pytest.mark.parametrize("spec", SHARED.values(), ids=SHARED)
def test_sharing_and_references_come_back(tmp_path, spec):
    there_and_back(spec, tmp_path / "x.yaml")


@settings(max_examples=80, deadline=None)
@given(specs())
def test_any_spec_comes_back_and_every_yaml_reader_reads_it(tmp_path_factory, spec):
    text = there_and_back(spec, tmp_path_factory.mktemp("x") / "x.yaml")
    yaml.safe_load(text)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TEXTS) | st.text(
    st.sampled_from(" \n#:-'\"{}[],&*!|>%@`?~.ab1\t\r\x85\u2028\ufeff\\$")
)  # fmt: skip
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(LEAVES.filter(lambda k: k == k), inner))


@pytest.mark.parametrize("empty", [[], {}], ids=str)
def test_what_is_empty_stays_so_however_little_room_its_line_has(empty):
    deep = empty
    for _ in range(80):
        deep = {"a": deep}
    for data in ({"0" * 130: empty}, deep, [{"b" * 97: [empty, 1]}]):
        assert list(read_back(data)) == [data, data]


KEYS = st.text().filter(lambda key: key != "_items_")  # which is a word of the wire form that is written


def read_back(data):
    """What one parser, of YAML 1.1, and ours, of 1.2, read of the same text."""
    from callsheet.formats.yaml import write

    text = write({"x": data})
    return yaml.safe_load(text)["x"], read(text, "x.yaml")["x"]


def same(a, b):
    if type(a) is not type(b):
        return False
    if type(a) is dict:
        return list(map(repr, a)) == list(map(repr, b)) and all(map(same, a.values(), b.values()))
    return all(map(same, a, b)) and len(a) == len(b) if type(a) is list else repr(a) == repr(b)


@settings(max_examples=120, deadline=None)
@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_readers_of_yaml_1_1_and_1_2_read_plain_data_alike(data):
    for found in read_back(data):
        assert same(found, data)


def test_the_text_reads_well(tmp_path):
    net = lazy(Net)(width=64, sizes=[1, 2, 3], shape=(3, 4))
    spec = {
        "model": net,
        "optim": lazy("torch.optim:SGD")(ref(net).parameters(), lr=1e-5),
        "data": {"names": ["no", "1e-3", "a, b"], "empty": {}, "nothing": None, "on": True},
        "readme": "two\nlines\n",
        "command": "python train.py\n  --lr 3",
        "again": [net, {"net": net}],
        "log": "run-${optim.lr}",
        3: float("inf"),
    }
    assert there_and_back(spec, tmp_path / "x.yaml") == (
        "_format_: 1\n"
        "model: &model\n"
        "  _target_: shapes:Net\n"
        "  width: 64\n"
        "  sizes: [1, 2, 3]\n"
        "  shape: {_value_: tuple, of: [3, 4]}\n"
        "optim:\n"
        "  _target_: torch.optim:SGD\n"
        "  _args_: [{_ref_: model, _then_: [[attr, parameters], [call, [], {}]]}]\n"
        "  lr: 1.0e-05\n"
        "data:\n"
        "  names: ['no', '1e-3', 'a, b']\n"
        "  empty: {}\n"
        "  nothing: null\n"
        "  'on': true\n"
        "readme: |\n"
        "  two\n"
        "  lines\n"
        "command: |-\n"
        "  python train.py\n"
        "    --lr 3\n"
        "again:\n"
        "  - *model\n"
        "  - net: *model\n"
        "log: run-${optim.lr}\n"
        "3: .inf\n"
    )


def test_anchors_are_named_after_their_place_once_each(tmp_path):
    a, b = lazy(Net)(width=1), lazy(Net)(width=2)
    text = there_and_back({"x": {"net": a}, "y": {"net": b}, "z": [lazy(call)(a, b), (a, b)]}, tmp_path / "x.yaml")
    assert [line.strip() for line in text.splitlines() if "&" in line] == ["net: &net", "net: &net_2"]


def test_a_node_that_stands_first_in_a_list_has_its_anchor_on_a_line_of_its_own(tmp_path):
    net = lazy(Net)(width=1)
    assert there_and_back({"l": [net, net]}, tmp_path / "x.yaml") == (
        "_format_: 1\nl:\n  - &l_0\n    _target_: shapes:Net\n    width: 1\n  - *l_0\n"
    )


@pytest.mark.parametrize("text", ["\ud800", "a\udcffb"])
def test_half_characters_come_back(tmp_path, text):
    there_and_back({"a": text, text: 1, "p": pathlib.Path(text), "t": (text, lazy(call)(text, k={text: [text]}))},
                   tmp_path / "x.yaml")  # fmt: skip


def test_a_key_of_any_length_comes_back(tmp_path):
    there_and_back({"k" * n: {"inner": [n]} for n in (1, 100, 799, 800, 801, 1100, 5000)}, tmp_path / "x.yaml")
    there_and_back({"é\n" * 600: 1}, tmp_path / "x.yaml")


def test_what_is_saved_as_json_and_as_yaml_is_the_same_spec(tmp_path):
    for spec in (*VALUES.values(), *SHARED.values()):
        save([spec], tmp_path / "x.json")
        save([spec], tmp_path / "x.yaml")
        assert equal(load(tmp_path / "x.json"), load(tmp_path / "x.yaml"))


def test_nesting_works_to_hundreds_of_levels_and_too_deep_is_one_error(tmp_path):
    spec = 1
    for _ in range(200):
        spec = lazy(call)([{"k": spec}])
    there_and_back(spec, tmp_path / "x.yaml")
    for _ in range(400):
        spec = lazy(call)({"k": spec})
    with pytest.raises(DepthError):
        save(spec, tmp_path / "y.yaml")
    assert [p.name for p in tmp_path.iterdir()] == ["x.yaml"]


def test_what_is_not_data_is_refused_and_the_old_file_stays(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("old")
    with pytest.raises(SaveError):
        save({"a": object()}, path)
    assert path.read_text() == "old"


def test_json_text_in_a_value_must_be_json(project):
    project("x.yaml", "a: {_value_: json, of: '{'}\n")
    assert told(lambda: load("x.yaml")).startswith("a  holds no json: ")
    project("x.yaml", 'a: {_value_: json, of: \'{"_target_": "m:f", "x": 1}\'}\n')
    assert equal(load("x.yaml").a, lazy("m:f")(x=1))
    assert json.dumps(plain(load("x.yaml", ["a=1"]))) == '{"a": 1}'


def test_arguments_with_the_names_of_the_wire_form_come_back(tmp_path):
    net = lazy(Net)(width=1)
    spec = {
        "net": net,
        "a": [lazy(call)(_same_=net), lazy(call)(_same_="net"), lazy(call)(_value_=net, _ref_=[net])],
        "b": ref(net).go(_same_="net", k=net),
        "c": lazy(call)(**{"_target_": net, "\ud800": 1}),
        "d": ref(net).go("\ud800", net),
    }
    there_and_back(spec, tmp_path / "x.yaml")
    del spec["c"], spec["d"]
    there_and_back(spec, tmp_path / "y.yaml")
