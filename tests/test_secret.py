"""Promise 26: a secret is saved as the place where it is kept, shown as `***`, and read only where it is used."""

import copy as standard
import json
import pathlib
import pickle
import traceback
from urllib.parse import quote, urlencode

import pytest

from callsheet import (
    Secret,
    build,
    check,
    copy,
    equal,
    from_data,
    hash_of,
    lazy,
    load,
    origin,
    override,
    plain,
    save,
    to_data,
)
from callsheet._hidden import masked, secrets_of
from callsheet._spec import attach
from callsheet.errors import OverrideError, SaveError, SecretError, TrustError
from command import Project
from saying import told
from shapes import Optim, call

VALUE = "sk-hunter2-value"


@pytest.fixture
def env(monkeypatch):
    monkeypatch.setenv("SHEET_KEY", VALUE)
    monkeypatch.delenv("SHEET_NONE", raising=False)
    return monkeypatch


def typed(key: str, count: int = 1) -> str:
    return key


def failing(key):
    raise ValueError("it did not work")


# --- what it is -------------------------------------------------------------------------------------------------------


def test_it_is_revealed_when_it_is_asked(env, tmp_path):
    (tmp_path / "token").write_text(VALUE + "\n")
    assert Secret("env:SHEET_KEY").reveal() == VALUE
    assert Secret(f"file:{tmp_path}/token").reveal() == VALUE
    env.setenv("HOME", str(tmp_path))
    assert Secret("file:~/token").reveal() == VALUE


@pytest.mark.parametrize("text", ["sk-123", "", "env:", "env:sk-123", "env:A B", "file:", "file:token", "vault:x", 5])
def test_a_literal_secret_is_refused_and_not_shown(text):
    assert told(lambda: Secret(text), SecretError) == (
        "a secret is given as the place where it is kept, never as itself\n"
        '  write  Secret("env:API_KEY")  or  Secret("file:~/.token")'
    )


def test_every_text_of_it_is_masked():
    key = Secret("env:SHEET_KEY")
    assert [repr(key), str(key), f"{key}", f"{key:>9}", f"{key!r}", f"{key}", f"{key}"] == ["***"] * 7
    assert repr(attach({"key": key, "more": [key]})) == "{'key': ***, 'more': [***]}"
    assert repr(lazy(call)(key=key)) == "lazy(call)(key=***)"


def test_it_is_equal_and_hashed_by_the_reference_as_it_was_written(env):
    one, same, other = Secret("env:SHEET_KEY"), Secret("env:SHEET_KEY"), Secret("env:SHEET_NONE")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != "env:SHEET_KEY"
    assert equal({"a": one}, {"a": same})
    assert not equal({"a": one}, {"a": other})
    assert not equal({"a": one}, {"a": "env:SHEET_KEY"})
    before = hash_of({"a": one})
    env.setenv("SHEET_KEY", "rotated")
    assert hash_of({"a": same}) == before != hash_of({"a": other})


def test_it_cannot_be_changed():
    with pytest.raises(AttributeError, match="a secret cannot be changed"):
        Secret("env:SHEET_KEY")._reference = "sk-123"


@pytest.mark.parametrize("again", [copy, standard.copy, standard.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_is_the_same_secret(again):
    spec = attach({"key": Secret("env:SHEET_KEY")})
    assert equal(again(spec), spec)
    assert VALUE not in str(pickle.dumps(spec))


# --- where it is used -------------------------------------------------------------------------------------------------


def test_build_hands_the_text_to_what_takes_it(env):
    key = Secret("env:SHEET_KEY")
    spec = attach({"a": lazy(call)(key, [key], {"k": key}, (key,), named=key), "b": Optim(key), "c": key})
    made = build(spec)
    assert made["a"] == ((VALUE, [VALUE], {"k": VALUE}, (VALUE,)), {"named": VALUE})
    assert (made["b"].lr, made["c"]) == (VALUE, VALUE)
    assert spec["c"] is key


def load_text(project, text):
    return load(project("conf.py", "from callsheet import Secret\n" + text))


def test_python_reads_the_secret_itself(env, project):
    cfg = attach({"key": Secret("env:SHEET_KEY")})
    assert cfg.key.reveal() == VALUE
    assert plain(cfg)["key"] == Secret("env:SHEET_KEY")
    again = load_text(project, 'key = Secret("env:SHEET_KEY")\nagain, header = "${key}", "Bearer ${key}"')
    assert again.again == cfg.key
    assert repr(again.header) == "'Bearer ${key}'"


def test_a_text_made_of_one_is_made_when_it_is_built(env, project):
    project(
        "conf.py",
        """
        from callsheet import Secret, lazy, ref
        key = Secret("env:SHEET_KEY")
        main = lazy(dict)(header="Bearer ${key}", longer=ref("key") + "!", same="${key}")
    """,
    )
    cfg = load("conf.py")
    assert "***" not in str(cfg.main.header)
    assert VALUE not in f"{cfg}{cfg.main.header!r}{cfg.main.longer!r}{json.dumps(to_data(cfg))}"
    assert build(cfg.main) == {"header": f"Bearer {VALUE}", "longer": f"{VALUE}!", "same": VALUE}


def test_a_missing_one_is_told_before_anything_is_built(env):
    spec = attach({"first": lazy(failing)(1), "key": lazy(call)(key=Secret("env:SHEET_NONE"))})
    assert (
        told(lambda: build(spec))
        == told(lambda: check(spec))
        == (
            "key.key  there is no environment variable SHEET_NONE                    here\n"
            "         set it:  export SHEET_NONE=…"
        )
    )


def test_a_file_that_is_not_there_is_told(tmp_path):
    assert told(lambda: check({"key": Secret(f"file:{tmp_path}/token")})) == (
        f"key  cannot read {tmp_path}/token: No such file or directory\n     it holds the secret, and no more"
    )


def test_a_note_of_a_failed_build_does_not_show_it(env):
    with pytest.raises(ValueError, match="it did not work") as caught:
        build({"main": lazy(failing)(Secret("env:SHEET_KEY"))})
    text = "".join(traceback.format_exception(caught.value))
    assert "lazy(failing)(***)" in text
    assert VALUE not in text


def test_it_fits_where_a_text_is_declared(env):
    check(lazy(typed)(Secret("env:SHEET_KEY")))
    assert told(lambda: check({"main": lazy(typed)("a", count=Secret("env:SHEET_KEY"))})).startswith(
        "main.count  must be int, found a secret"
    )


# --- what is saved ----------------------------------------------------------------------------------------------------


def test_it_is_saved_as_its_reference_and_loads_back_equal(env, project):
    spec = attach({"key": Secret("env:SHEET_KEY"), "in": [Secret("file:~/.token")], "set": {Secret("env:SHEET_KEY")}})
    save(spec, "x.json")
    text = pathlib.Path("x.json").read_text()
    assert '{\n    "_value_": "secret",\n    "of": "env:SHEET_KEY"\n  }' in text
    assert VALUE not in text
    assert equal(load("x.json"), spec)


def test_a_literal_that_came_past_its_making_is_not_saved(project):
    literal = Secret("env:SHEET_KEY")
    object.__setattr__(literal, "_reference", VALUE)
    said = told(lambda: save({"key": literal}, "x.json"), SaveError)
    assert said.startswith("key  is not data, so it cannot be saved: ***")
    assert VALUE not in said


def test_data_that_holds_a_literal_is_refused_without_showing_it():
    assert told(lambda: from_data({"key": {"_value_": "secret", "of": VALUE}}, where="x.json")) == (
        "key  holds no secret: a secret is given as the place where it is kept, never as itself\n     set by x.json"
    )


def test_data_may_read_a_variable_but_not_a_file_that_nobody_allowed(env, tmp_path):
    (tmp_path / "token").write_text(VALUE)
    place = f"file:{tmp_path}/token"
    data = {"key": {"_value_": "secret", "of": place}}
    assert build(from_data({"key": {"_value_": "secret", "of": "env:SHEET_KEY"}})) == {"key": VALUE}
    assert told(lambda: build(from_data(data, where="x.json"))) == (
        f"key  is {place}, which data may not read by itself\n"
        "     set by x.json\n"
        f'     to allow it in Python:   load("x.json", allow=["{place}"])\n'
        f"     on the command line:     --allow {place}\n"
        f'     in pyproject.toml:       allow = ["{place}"]  under [tool.callsheet]'
    )
    assert build(from_data(data, allow=[place])) == {"key": VALUE}
    with pytest.raises(TrustError):
        copy(from_data(data)).key.reveal()


# --- overrides --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["key=env:OTHER", "++key=env:OTHER", 'key="env:OTHER"'])
def test_an_override_gives_another_place(text):
    spec = override({"key": Secret("env:SHEET_KEY")}, [text])
    assert spec["key"] == Secret("env:OTHER")
    assert "env:OTHER" in to_data(spec)["key"]["of"]


def test_none_is_a_place_too():
    assert override({"key": Secret("env:SHEET_KEY")}, ["key=null"])["key"] is None


@pytest.mark.parametrize(
    "said", ["key=" + VALUE, f'key="{VALUE}"', "key=[a]", "key+=x", "key=${env:SHEET_KEY}", "key=1"]
)
def test_an_override_with_a_literal_is_refused_without_showing_it(said):
    assert told(lambda: override({"key": Secret("env:SHEET_KEY")}, [said]), OverrideError) == (
        "key  is a secret: give the place where it is kept, as env:API_KEY or file:~/.token\n     set by here"
    )


def test_an_override_of_an_argument_that_takes_a_text_stays_a_secret(env):
    spec = override({"main": lazy(typed)(key=Secret("env:SHEET_NONE"))}, ["main.key=env:SHEET_KEY"])
    check(spec)
    assert spec["main"].key == Secret("env:SHEET_KEY")
    assert build(spec)["main"] == VALUE
    assert origin(spec["main"], "key").text == "main.key=env:SHEET_KEY"


# --- runs -------------------------------------------------------------------------------------------------------------

CONF = """
    from callsheet import Secret, lazy
    from train import fit
    key = Secret("env:SHEET_KEY")
    header = "Bearer ${key}"
    main = lazy(fit)("${key}", header="${header}", lr=1)
"""
TRAIN = "def fit(key, header, lr): return {'length': len(key) + len(header) + lr}\n"
LENGTH = len(VALUE) + len("Bearer " + VALUE)


@pytest.fixture
def cmd(tmp_path, env):
    return Project(tmp_path).config(CONF, train=TRAIN)


def written(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_uses_it_and_writes_it_nowhere(cmd):
    said = cmd("run", "conf.py", "main.lr=2")
    assert cmd.read("result.json") == {"length": LENGTH + 2}
    assert cmd.read("spec.json")["key"] == {"_value_": "secret", "of": "env:SHEET_KEY"}
    assert VALUE not in said.out + said.err
    assert not [name for name, content in written(cmd.root).items() if VALUE.encode() in content]


def test_a_sweep_uses_it_and_writes_it_nowhere(cmd):
    said = cmd("sweep", "conf.py", "main.lr=2,3")
    assert sorted(cmd.read("result.json", run)["length"] for run in cmd.ids()) == [LENGTH + 2, LENGTH + 3]
    assert VALUE not in said.out + said.err
    assert not [name for name, content in written(cmd.root).items() if VALUE.encode() in content]


FAILING = """
    import sys


    def fit(key, header, lr):
        if lr == 3:
            sys.exit(f"not with {key}")
        raise RuntimeError(f"401 for https://api.example.org/?key={key}", header)
"""
TELLING = "def fit(key, header, lr): return {'key': key, header: lr, f'of {key}': [key]}\n"


def test_a_run_that_fails_with_it_in_the_error_writes_it_nowhere(cmd):
    cmd.write("train.py", FAILING)
    said = cmd("run", "conf.py", "--json", code=1)
    assert "/?key=***" in said.data["faults"][0]["problem"]
    assert "/?key=***" in cmd.read("status.json")["error"]
    told = cmd("sweep", "conf.py", "main.lr=2,3", code=1)
    shown = cmd("runs", "--columns", "id,error").out
    assert "not with ***" in told.out
    assert "not with ***" in shown
    cmd("report")
    assert VALUE not in said.out + said.err + told.out + told.err + shown
    assert not [name for name, content in written(cmd.root).items() if VALUE.encode() in content]


def test_a_run_that_gives_it_back_writes_it_nowhere(cmd):
    cmd.write("train.py", TELLING)
    said = cmd("run", "conf.py")
    assert cmd.read("result.json") == {"key": "***", "Bearer ***": 1}
    assert (
        said.err
        == "callsheet: not kept in the result, since they are no numbers or texts that can be written: of ***\n"
    )
    assert "key ***" in cmd("sweep", "conf.py", "main.lr=2,3").out
    assert not [name for name, content in written(cmd.root).items() if VALUE.encode() in content]


def test_a_command_that_fails_with_it_among_its_words_does_not_show_it(cmd):
    cmd.write("train.py", "from callsheet.run import Command\n")
    called, command = 'lazy(fit)("${key}", header="${header}", lr=1)', 'Command("false {{key}}")'
    cmd.write("conf.py", CONF.replace("import fit", "import Command").replace(called, command))
    said = cmd("run", "conf.py", "--json", code=1)
    assert said.data["faults"][0]["advice"] == ["false ***"]
    assert "false ***" in said.err
    assert VALUE not in said.out + said.err


@pytest.mark.parametrize("value", ["sk+123/4=", "sk 'n' \"so on\"", "line\nline"])
def test_it_is_found_as_an_address_or_a_repr_has_it(env, value):
    env.setenv("SHEET_KEY", value)
    secrets = secrets_of({"key": Secret("env:SHEET_KEY")})
    forms = [value, repr({"key": value}), urlencode({"key": value}), quote(value)]
    for text in forms:
        assert masked(text, secrets) in ("***", "{'key': '***'}", "{'key': \"***\"}", "key=***"), text


def test_the_command_shows_it_nowhere(cmd):
    cmd("run", "conf.py")
    run = cmd.ids()[0]
    for words in (
        ("show", "conf.py"), ("show", "conf.py", "--json"), ("show", "conf.py", "--origins"), ("show", run),
        ("why", "conf.py", "key"), ("why", run, "main.header"), ("compare",), ("check", "conf.py"),
    ):  # fmt: skip
        said = cmd(*words)
        assert VALUE not in said.out + said.err, words
    assert cmd("why", run, "key").out.startswith("***")


def test_who_has_no_key_is_told_before_anything_runs(cmd):
    cmd.config(CONF.replace("SHEET_KEY", "SHEET_NONE"))
    said = cmd("run", "conf.py", code=1)
    assert said.err.startswith("callsheet: 1 fault, nothing was built\n  key")
    assert "there is no environment variable SHEET_NONE" in said.err
    assert cmd.ids() == []


def test_another_key_is_another_identity_but_a_rotated_one_is_not(cmd, env):
    cmd("sweep", "conf.py", "main.lr=2,3")
    env.setenv("SHEET_KEY", "rotated")
    cmd("sweep", "conf.py", "main.lr=2,3")
    assert len(cmd.ids()) == 2
    env.setenv("SHEET_OTHER", "x")
    cmd("sweep", "conf.py", "main.lr=2,3", "key=env:SHEET_OTHER")
    assert len(cmd.ids()) == 4


def test_the_record_of_a_run_holds_no_variables_of_the_environment(cmd, env):
    env.setenv("SHEET_UNRELATED", "other-" + VALUE)
    cmd("run", "conf.py")
    assert not [name for name, content in written(cmd.runs).items() if b"other-" + VALUE.encode() in content]
