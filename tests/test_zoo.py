"""A zoo publishes configs with cards; taking one runs nothing that nobody allowed, and gives what the card says."""

import hashlib
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

import callsheet
from callsheet import build, check, equal, hash_of, lazy, load, save, zoo
from callsheet.errors import LoadError, OverrideError, SaveError, SpecError, TrustError, ZooError
from callsheet.zoo._card import card_text, read_card
from callsheet.zoo._fetch import weights_of
from callsheet.zoo._shelf import find_entry
from saying import told
from shapes import Net

fsspec = pytest.importorskip("fsspec")

ABOUT = {"description": "A net.", "licence": "MIT"}
RAW = b"weights" * 1000
SHA256 = hashlib.sha256(RAW).hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALLSHEET_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def memory():
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A function that installs a package with a zoo, as pip leaves it."""

    def install(name="digits", value="digits_nets.entries", entries=("small",), config=None):
        site = tmp_path / f"site-{name}"
        package = site / "digits_nets"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('the package was imported')\n")
        (package / "nets.py").write_text("def net(width=3): return ['net', width]\n")
        for entry in entries:
            place = package / "entries" / entry
            place.mkdir(parents=True)
            text = config or '{"_target_": "digits_nets.nets:net", "width": 5}'
            (place / "config.json").write_text(text)
            write_card(place)
        info = site / "digits_nets-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: digits-nets\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[callsheet.zoo]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(str(site))
        return package

    yield install
    for module in [name for name in sys.modules if name.partition(".")[0] == "digits_nets"]:
        del sys.modules[module]


def write_card(place, **more):
    card = {"description": "A net.", "licence": "MIT", "config": "config.json", **more}
    place.mkdir(parents=True, exist_ok=True)
    (place / "card.toml").write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in card.items()))


def write_entry(place, config='{"_target_": "builtins:dict", "a": 1}', name="config.json", **more):
    write_card(place, config=name, **more)
    (place / name).write_text(textwrap.dedent(config))


# --- publish and get --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["zoo/small", "./zoo/deep/er", "memory://zoo/small"])
def test_what_is_published_is_taken_equal(place, memory):
    spec = lazy(Net)(width=7)
    card = zoo.publish(spec, place, metrics={"accuracy": 0.5, "on": "digits"}, **ABOUT)
    name = place if "://" in place else "./" + place.removeprefix("./")
    again = zoo.get(name, allow=["shapes"])
    assert equal(again, spec)
    assert hash_of(again) == hash_of(spec)
    assert isinstance(build(again), Net)
    assert zoo.card(name) == card
    assert (card.description, card.licence, card.metrics["accuracy"], card.weights) == ("A net.", "MIT", 0.5, "")


def test_references_are_resolved_and_defaults_that_are_in_force_stand_in_the_card(folder):
    (folder / "conf.py").write_text(
        "from callsheet import lazy\nfrom shapes import Net\nwidth = 3\nmodel = lazy(Net)(width='${width}')\n"
    )
    card = zoo.publish(load("conf.py").model, "zoo/small", **ABOUT)
    assert zoo.get("./zoo/small").width == 3
    given = json.loads((folder / "zoo/small/config.json").read_text())
    assert given == {"_format_": 1, "_target_": "shapes:Net", "width": 3}
    assert all(isinstance(text, str) for given in card.defaults.values() for text in given.values())
    assert zoo.publish(lazy(dict)(inner=lazy(json.dumps)(1)), "zoo/dumps", **ABOUT).defaults == {
        "inner: json.dumps": card_defaults_of_dumps()
    }


def card_defaults_of_dumps():
    names = "skipkeys ensure_ascii check_circular allow_nan cls indent separators default sort_keys"
    texts = "False True True True None None None None False"
    return dict(zip(names.split(), texts.split(), strict=True))


def test_overrides_change_what_is_taken_and_tell_who_set_it():
    zoo.publish(lazy(Net)(width=7), "zoo/small", **ABOUT)
    spec = zoo.get("./zoo/small", ["width=9"])
    assert spec.width == 9
    assert callsheet.origin(spec, "width").kind == "override"
    assert "test_zoo.py" in callsheet.origin(spec, "width").where
    with pytest.raises(OverrideError):
        zoo.get("./zoo/small", ["width.x=9"])


def test_an_entry_may_be_a_part_of_a_config(folder):
    text = '{"width": 3, "model": {"_target_": "shapes:Net", "width": "${width}"}, "other": {"_target_": "no:no"}}'
    write_entry(folder / "zoo/part", text, node="model")
    spec = zoo.get("./zoo/part", ["width=8"], allow=["shapes"])
    assert build(spec).kwargs == {"width": 8}


def test_what_is_published_stays(folder):
    zoo.publish(lazy(Net)(), "zoo/small", **ABOUT)
    before = (folder / "zoo/small/card.toml").read_bytes()
    assert (
        told(lambda: zoo.publish(lazy(Net)(width=2), "zoo/small", **ABOUT), ZooError)
        == """\
something is published in zoo/small already
  what was published stays what it was: choose another name, or remove it first"""
    )
    assert (folder / "zoo/small/card.toml").read_bytes() == before


def test_what_others_could_not_use_is_refused_before_anything_is_written(folder):
    (folder / "conf.py").write_text(
        "from callsheet import lazy\ndef own(): ...\nmodel = lazy(dict)(inner=lazy(own)(), by=own)\n"
    )
    text = told(lambda: zoo.publish(load("conf.py").model, "zoo/small", **ABOUT), SaveError)
    assert "conf.py:own" in text
    assert "is in a file of yours, which others do not have" in text
    with pytest.raises(SpecError, match="no such argument of textwrap.dedent"):
        zoo.publish(lazy("textwrap:dedent")("", txt=1), "zoo/small", **ABOUT)
    with pytest.raises(SpecError, match="cannot import nowhere.Net"):
        zoo.publish(lazy("nowhere:Net")(), "zoo/small", **ABOUT)
    with pytest.raises(SaveError):
        zoo.publish(lazy(Net)(width=object()), "zoo/small", **ABOUT)
    text = told(lambda: zoo.publish(lazy(Net)(), "zoo/small", description=" ", licence="MIT"), ZooError)
    assert "description  is empty" in text
    text = told(lambda: zoo.publish(lazy(Net)(), "zoo/small", metrics={"a": [1]}, **ABOUT), ZooError)
    assert "metrics.a  must be a number or a text, found [1]" in text
    assert not (folder / "zoo").exists()


# --- cards ------------------------------------------------------------------------------------------------------------


def test_a_card_is_read_as_it_was_written():
    card = zoo.Card(
        description='Says "so"\nand\t\x7f é \\',
        licence="MIT",
        config="config.yaml",
        node="a.b",
        config_sha256="0" * 64,
        weights="https://example.org/w.safetensors",
        weights_sha256="f" * 64,
        metrics={"a b": 1, "x": 0.5, "inf": float("inf"), "t": "best", "ok": True},
        defaults={"train.Net": {"act": "'relu'"}, 'a["k.x"]: m.f': {"n": "1"}},
    )
    assert read_card(card_text(card).encode(), "card.toml") == card


def card_fault(text):
    return told(lambda: read_card(textwrap.dedent(text).encode(), "zoo/card.toml"), ZooError)


def test_all_that_is_wrong_with_a_card_is_named_by_its_line():
    assert (
        card_fault(
            """
            licens = "MIT"
            config = 3
            description = ""
            """
        )
        == """\
licens       is nothing that a card says                     zoo/card.toml:2
             did you mean  licence?
licence      is missing                                      zoo/card.toml
description  is empty                                        zoo/card.toml:4
config       must be a text, found 3                         zoo/card.toml:3"""
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('weights = "w.safetensors"', "weights  needs a weights_sha256"),
        (f'weights_sha256 = "{SHA256}"', "weights_sha256  is of no weights"),
        ('weights = "w"\nweights_sha256 = "abc"', "must be 64 hexadecimal digits in lower case, found 'abc'"),
        (f'weights = "../../w"\nweights_sha256 = "{SHA256}"', "weights  must lie beside the card, found '../../w'"),
        (f'weights = "/etc/passwd"\nweights_sha256 = "{SHA256}"', "weights  must lie beside the card"),
        (f'weights = "file:///etc/passwd"\nweights_sha256 = "{SHA256}"', "or at one URL such as https://"),
        (f'weights = "zip://a::s3://b"\nweights_sha256 = "{SHA256}"', "or at one URL such as https://"),
        ("metrics = 3", "metrics  must be a table, found 3"),
        ("[metrics]\na = [1]", "metrics.a  must be a number or a text, found [1]"),
        ("[defaults]\na = 1", "defaults.a  must be a table of texts, found 1"),
        ("format = 2", "format  is 2"),
    ],
)
def test_what_a_card_may_not_say(line, problem):
    assert problem in card_fault(f'description = "A"\nlicence = "MIT"\nconfig = "config.json"\n{line}\n')


@pytest.mark.parametrize("config", ["config.txt", "../config.json", "s3://b/config.json", "/config.json"])
def test_a_config_lies_beside_its_card(config):
    assert "config  must " in card_fault(f'description = "A"\nlicence = "MIT"\nconfig = "{config}"\n')


def test_what_is_no_toml_says_so():
    assert card_fault("description = \n").startswith("is not valid TOML: Invalid value (at line 1, column 15)")
    assert "is not text" in told(lambda: read_card(b"\xff\xff\xfe\xff\xff", "zoo/card.toml"), ZooError)


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_folder_lists_its_entries_at_any_depth(folder):
    for name in ("zoo/b", "zoo/a", "zoo/vision/c"):
        write_entry(folder / name)
    assert zoo.names("./zoo") == ["./zoo/a", "./zoo/b", "./zoo/vision/c"]
    assert zoo.names(f"{folder}/zoo/") == [f"{folder}/zoo/{name}" for name in ("a", "b", "vision/c")]
    assert zoo.names("./zoo/a") == ["./zoo/a"]


def test_a_store_lists_its_entries(memory):
    zoo.publish(lazy(Net)(), "memory://shelf/zoo/a", **ABOUT)
    zoo.publish(lazy(Net)(), "memory://shelf/zoo/deep/b", **ABOUT)
    assert zoo.names("memory://shelf/zoo") == ["memory://shelf/zoo/a", "memory://shelf/zoo/deep/b"]
    assert told(lambda: zoo.names("memory://shelf/none"), ZooError) == "there is nothing at memory://shelf/none"
    assert "nowhere://zoo names no store that is known" in told(lambda: zoo.names("nowhere://zoo"), ZooError)


def test_what_is_not_there_is_answered_with_what_is(folder):
    write_entry(folder / "zoo/small")
    (folder / "zoo/empty").mkdir()
    assert told(lambda: zoo.get("./zoo/smal"), ZooError) == "there is no entry ./zoo/smal\n  did you mean  ./zoo/small?"
    assert told(lambda: zoo.get("./zoo/xyz"), ZooError) == "there is no entry ./zoo/xyz\n  ./zoo/ has  small"
    assert told(lambda: zoo.get("./zoo/empty"), ZooError).endswith("zoo/empty is a folder, but has no card.toml")
    assert told(lambda: zoo.names("./zo"), ZooError) == "there is no folder zo"
    text = "no installed package has a zoo named 'zoo'\n  for the folder:  ./zoo/small"
    assert told(lambda: zoo.get("zoo/small"), ZooError) == text
    assert told(lambda: zoo.get("memory://zoo/none"), ZooError) == "there is no entry memory://zoo/none"


def test_an_installed_package_is_found_by_its_entry_point_without_being_imported(installed):
    installed(entries=["small", "vision/big"])
    assert zoo.names() == zoo.names("digits") == ["digits/small", "digits/vision/big"]
    assert zoo.card("digits/small").licence == "MIT"
    assert zoo.get("digits/small").width == 5
    assert "digits_nets" not in sys.modules


def test_a_name_of_a_package_that_is_not_there_is_answered_with_what_is(installed):
    installed(entries=["small", "big"])
    first = "no installed package has a zoo named 'digit'\n"
    assert (
        told(lambda: zoo.get("digit/small"), ZooError)
        == first + "  did you mean  digits/small?\n  installed are  digits"
    )
    assert (
        told(lambda: zoo.get("digits/smal"), ZooError) == "there is no entry digits/smal\n  did you mean  digits/small?"
    )
    text = "'digits' names no entry of the zoo digits\n  it has  digits/big, digits/small"
    assert told(lambda: zoo.get("digits"), ZooError) == text
    assert "names no entry" in told(lambda: zoo.get("digits/../entries/small"), ZooError)


def test_an_entry_point_that_leads_nowhere_names_the_package(installed):
    installed(value="digits_nets.entrees")
    assert (
        told(lambda: zoo.names("digits"), ZooError)
        == """\
the zoo 'digits' should lie in 'digits_nets.entrees', which is no folder of an installed package
  the entry point of digits-nets 1.2 must name the package that holds the cards"""
    )


# --- trust ------------------------------------------------------------------------------------------------------------


def test_data_of_a_folder_names_nothing_that_nobody_allowed(folder):
    write_entry(folder / "zoo/small", '{"_target_": "shapes:Net", "width": 3}')
    spec = zoo.get("./zoo/small")
    assert (
        told(lambda: build(spec), SpecError)
        == """\
shapes:Net is named by data, which imports nothing by itself
set by zoo/small/config.json
to allow it in Python:   zoo.get("./zoo/small", allow=["shapes"])
in pyproject.toml:       allow = ["shapes"]  under [tool.callsheet]"""
    )
    assert build(zoo.get("./zoo/small", allow=["shapes"])).kwargs == {"width": 3}
    assert build(zoo.get("./zoo/small", "width=4", allow="shapes")).kwargs == {"width": 4}
    (folder / "pyproject.toml").write_text('[tool.callsheet]\nallow = ["shapes"]\n')
    assert build(zoo.get("./zoo/small")).kwargs == {"width": 3}


def test_data_of_a_package_may_name_what_the_package_defines_and_nothing_else(installed):
    package = installed()
    (package / "__init__.py").write_text("")
    assert build(zoo.get("digits/small")) == ["net", 5]
    (package / "entries/small/config.json").write_text('{"_target_": "os:getcwd"}')
    with pytest.raises(SpecError, match="os:getcwd is named by data"):
        build(zoo.get("digits/small"))
    (package / "nets.py").write_text("from os import getcwd as net\n")
    (package / "entries/small/config.json").write_text('{"_target_": "digits_nets.nets:net"}')
    sys.modules.pop("digits_nets.nets")
    with pytest.raises(SpecError, match="is really os.getcwd, which is not allowed"):
        check(zoo.get("digits/small"))


def test_a_package_that_shares_its_first_name_with_others_vouches_for_itself_alone(tmp_path, monkeypatch, installed):
    package = installed(value="org.digits.entries", config='{"_target_": "org.other:f"}')
    shared = package.parent / "org"
    shared.mkdir()
    package.rename(shared / "digits")
    (shared / "other.py").write_text("def f(): ...\n")
    with pytest.raises(SpecError, match="org.other:f is named by data"):
        build(zoo.get("digits/small"))
    (shared / "digits/__init__.py").write_text("")
    (shared / "digits/entries/small/config.json").write_text('{"_target_": "org.digits.nets:net"}')
    monkeypatch.delitem(sys.modules, "org", raising=False)
    assert build(zoo.get("digits/small")) == ["net", 3]


def test_code_of_a_folder_runs_only_where_its_file_is_allowed(folder):
    write_entry(
        folder / "zoo/code",
        "import os\nos.makedirs('ran', exist_ok=True)\nfrom shapes import Net\nfrom callsheet import lazy\nmodel = lazy(Net)(width=4)\n",
        "config.py",
        node="model",
    )
    assert (
        told(lambda: zoo.get("./zoo/code"), TrustError)
        == """\
zoo/code/config.py is code, which a zoo in a folder runs only where you allow it
  to allow it in Python:   zoo.get("./zoo/code", allow=["zoo/code/config.py"])
  in pyproject.toml:       allow = ["zoo/code/config.py"]  under [tool.callsheet]"""
    )
    with pytest.raises(TrustError):
        zoo.get("./zoo/code", allow=["zoo", "shapes"])
    assert not os.path.exists("ran")
    assert zoo.get("./zoo/code", ["model.width=6"], allow=["zoo/code/config.py"]).width == 6
    (folder / "pyproject.toml").write_text('[tool.callsheet]\nallow = ["zoo/code/config.py"]\n')
    assert build(zoo.get("./zoo/code")).kwargs == {"width": 4}


def test_code_of_a_package_runs_as_its_modules_do(installed):
    package = installed()
    place = package / "entries" / "code"
    write_entry(place, "from callsheet import lazy\nmodel = lazy(dict)(a=1)\n", "config.py", node="model")
    assert build(zoo.get("digits/code")) == {"a": 1}


def test_code_is_never_run_from_a_store(memory):
    memory.pipe_file("/zoo/code/config.py", b"raise SystemExit\n")
    memory.pipe_file("/zoo/code/card.toml", b'description = "A"\nlicence = "MIT"\nconfig = "config.py"\n')
    assert (
        told(lambda: zoo.get("memory://zoo/code", allow=["zoo"]), TrustError)
        == """\
memory://zoo/code/config.py is code, which is never run from a remote store
  callsheet zoo copy memory://zoo/code DIR  brings it here, to be read first"""
    )
    assert zoo.copy("memory://zoo/code", "here") == ["card.toml", "config.py"]  # as the error says


def test_a_config_that_is_not_what_its_card_says_is_refused_and_the_advice_works(folder):
    zoo.publish(lazy(Net)(width=7), "zoo/small", **ABOUT)
    config = folder / "zoo/small/config.json"
    config.write_text(config.read_text().replace("7", "8"))
    text = told(lambda: zoo.get("./zoo/small"), ZooError)
    assert text.startswith("zoo/small/config.json is not what its card says\n")
    card = folder / "zoo/small/card.toml"
    line = text.split("if the change is meant:  ")[1].removesuffix("  in its card")
    lines = [line if old.startswith("config_sha256") else old for old in card.read_text().split("\n")]
    card.write_text("\n".join(lines))
    assert zoo.get("./zoo/small").width == 8


def test_a_config_that_is_gone_or_damaged_is_named(folder):
    write_entry(folder / "zoo/small", '{"a": ')
    with pytest.raises(LoadError, match="config.json:1"):
        zoo.get("./zoo/small")
    (folder / "zoo/small/config.json").unlink()
    assert told(lambda: zoo.get("./zoo/small"), LoadError) == "there is no file zoo/small/config.json"


# --- weights ----------------------------------------------------------------------------------------------------------


def weights_entry(folder, memory, source="memory://far/w.safetensors", raw=RAW):
    memory.pipe_file("/far/w.safetensors", raw)
    write_entry(folder / "zoo/net", weights=source, weights_sha256=SHA256)
    return find_entry("./zoo/net")


def test_remote_weights_are_fetched_once_verified_and_kept(folder, memory):
    entry = weights_entry(folder, memory)
    with weights_of(entry) as path:
        assert Path(path).read_bytes() == RAW
        assert path == str(folder / f"cache/zoo/{SHA256}.safetensors")
    memory.store.clear()
    with weights_of(entry) as path:
        assert Path(path).read_bytes() == RAW


def test_weights_that_are_others_than_the_card_says_are_not_kept(folder, memory):
    entry = weights_entry(folder, memory, raw=RAW[:-1])
    found = hashlib.sha256(RAW[:-1]).hexdigest()
    with pytest.raises(ZooError) as caught, weights_of(entry):
        pass
    assert (
        str(caught.value)
        == f"""\
memory://far/w.safetensors is not what its card says: its SHA-256 is {found[:12]}…, the card has {SHA256[:12]}…
  it came damaged, or the card is of another version: try again, or ask who published it"""
    )
    assert [name for name in os.listdir(folder / "cache/zoo") if not name.endswith(".lock")] == []
    memory.pipe_file("/far/w.safetensors", RAW)
    with weights_of(entry) as path:
        assert Path(path).read_bytes() == RAW


def test_a_damaged_cache_says_what_to_do_and_that_works(folder, memory):
    entry = weights_entry(folder, memory)
    with weights_of(entry) as path:
        Path(path).write_bytes(b"damaged")
    with pytest.raises(ZooError, match="is not what its card says") as caught, weights_of(entry):
        pass
    first, advice = str(caught.value).split("\n")[1:]
    assert first == "  it was kept from memory://far/w.safetensors"
    subprocess.run(advice.split("to fetch it again:  ")[1], shell=True, check=True)
    with weights_of(entry) as path:
        assert Path(path).read_bytes() == RAW


def test_what_is_not_there_or_cannot_be_kept_is_named(folder, memory, monkeypatch):
    entry = weights_entry(folder, memory)
    memory.store.clear()
    with (
        pytest.raises(ZooError, match=r"^there is no file memory://far/w.safetensors, which the card names$"),
        weights_of(entry),
    ):
        pass
    (folder / "taken").write_text("")
    monkeypatch.setenv("CALLSHEET_CACHE", str(folder / "taken"))
    with (
        pytest.raises(ZooError, match=r"the cache .*taken/zoo cannot be used: (?s:.*)CALLSHEET_CACHE=DIR"),
        weights_of(entry),
    ):
        pass


def test_with_an_empty_cache_nothing_is_kept(folder, memory, monkeypatch):
    entry = weights_entry(folder, memory)
    monkeypatch.setenv("CALLSHEET_CACHE", "")
    with weights_of(entry) as path:
        assert Path(path).read_bytes() == RAW
    assert not os.path.exists(path)
    assert sorted(os.listdir(folder)) == ["zoo"]


def test_weights_beside_the_card_are_verified_where_they_are(folder):
    write_entry(folder / "zoo/net", weights="w.safetensors", weights_sha256=SHA256)
    (folder / "zoo/net/w.safetensors").write_bytes(RAW)
    with weights_of(find_entry("./zoo/net")) as path:
        assert path == str(folder / "zoo/net/w.safetensors")
    (folder / "zoo/net/w.safetensors").write_bytes(b"others")
    with (
        pytest.raises(ZooError, match="get zoo/net anew, or ask who published it"),
        weights_of(find_entry("./zoo/net")),
    ):
        pass
    (folder / "zoo/net/w.safetensors").unlink()
    with pytest.raises(ZooError, match="there is no file zoo/net/w.safetensors"), weights_of(find_entry("./zoo/net")):
        pass


FETCH = """
import sys
from callsheet.zoo._fetch import weights_of
from callsheet.zoo._shelf import find_entry
print("ready", flush=True)
sys.stdin.readline()
with weights_of(find_entry("./zoo/net")) as path:
    print(open(path, "rb").read() == b"weights" * 1000)
"""


def test_processes_that_fetch_at_the_same_time_all_get_it_whole(folder):
    with zipfile.ZipFile(folder / "far.zip", "w") as archive:
        archive.writestr("net/w.safetensors", RAW)
        archive.writestr("net/config.json", "{}")
        text = f'description = "A"\nlicence = "MIT"\nconfig = "config.json"\nweights = "w.safetensors"\nweights_sha256 = "{SHA256}"\n'
        archive.writestr("net/card.toml", text)
    program = FETCH.replace("./zoo/net", f"zip://net::file://{folder}/far.zip")
    children = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.communicate()[0] for child in children] == ["True\n"] * 4
    assert [name for name in os.listdir(folder / "cache/zoo") if not name.endswith(".lock")] == [
        f"{SHA256}.safetensors"
    ]


# --- copies -----------------------------------------------------------------------------------------------------------


def test_a_copy_is_an_entry_of_its_own(folder, memory):
    weights_entry(folder, memory)
    assert zoo.copy("./zoo/net", "mine/net") == ["card.toml", "config.json", "weights.safetensors"]
    memory.store.clear()
    assert zoo.card("./mine/net").weights == "weights.safetensors"
    with weights_of(find_entry("./mine/net")) as path:
        assert path == str(folder / "mine/net/weights.safetensors")
    assert os.listdir("mine") == ["net"]


def test_a_copy_is_made_whole_or_not_at_all_and_replaces_nothing(folder, memory):
    weights_entry(folder, memory, raw=b"damaged")
    with pytest.raises(ZooError, match="is not what its card says"):
        zoo.copy("./zoo/net", "mine/net")
    assert os.listdir("mine") == []
    text = "zoo/net is there already\n  name a folder that is not"
    assert told(lambda: zoo.copy("./zoo/net", "zoo/net"), ZooError) == text


def test_a_copy_has_what_lies_beside_the_card_too(folder, memory):
    write_entry(folder / "zoo/code", "from .parts.base import model\n", "config.py", node="model")
    (folder / "zoo/code/parts").mkdir()
    (folder / "zoo/code/parts/base.py").write_text("from callsheet import lazy\nmodel = lazy(dict)(a=1)\n")
    assert zoo.copy("./zoo/code", "mine") == ["card.toml", "config.py", "parts/base.py"]
    assert build(zoo.get("./mine", allow=["mine/config.py"])) == {"a": 1}
    for name in ("card.toml", "config.py", "parts/base.py"):
        memory.pipe_file(f"/far/code/{name}", (folder / "zoo/code" / name).read_bytes())
    assert zoo.copy("memory://far/code", "theirs") == ["card.toml", "config.py", "parts/base.py"]


def test_a_store_cannot_write_outside_of_the_copy(folder, memory):
    memory.pipe_file("/far/x/card.toml", b'description = "A"\nlicence = "MIT"\nconfig = "config.json"\n')
    memory.pipe_file("/far/x/config.json", b"{}")
    memory.store["/far/x/../../escaped"] = memory.store["/far/x/config.json"]
    zoo.copy("memory://far/x", "deep/er/copy")  # as from a store that lists nothing
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["card.toml", "config.json"]
    assert "lists '../../escaped', which does not lie in it" in told(lambda: zoo.names("memory://far/x"), ZooError)


# --- trained, as far as it goes without building ----------------------------------------------------------------------


def test_a_trained_entry_is_a_spec_like_any_other(folder):
    write_entry(
        folder / "zoo/net", '{"_target_": "shapes:Net", "width": 3}', weights="w.safetensors", weights_sha256=SHA256
    )
    spec = zoo.get("./zoo/net", ["width=4"], trained=True, on_mismatch="skip", key_map={"a": "b"})
    assert (spec.model.width, spec.entry, spec.sha256, spec.on_mismatch) == (4, str(folder / "zoo/net"), SHA256, "skip")
    assert isinstance(spec.key_map, Mapping)
    save({"model": spec}, "conf.json")
    again = load("conf.json", allow=["callsheet.zoo", "shapes"])
    assert equal(again.model, spec)
    with pytest.raises(ZooError, match="there is no file zoo/net/w.safetensors"):
        build(again)


def test_an_entry_without_weights_cannot_be_trained(folder):
    write_entry(folder / "zoo/net")
    text = "zoo/net is published without weights\n  zoo.get('./zoo/net')  gives its spec"
    assert told(lambda: zoo.get("./zoo/net", trained=True), ZooError) == text


def test_weights_that_were_published_anew_are_not_those_that_were_asked_for(folder):
    write_entry(folder / "zoo/net", weights="w.safetensors", weights_sha256=SHA256)
    spec = zoo.get("./zoo/net", trained=True, allow=["builtins"])
    write_card(folder / "zoo/net", weights="w.safetensors", weights_sha256="0" * 64)
    with pytest.raises(ZooError, match=f"SHA-256 was {SHA256[:12]}…, is 000000000000…"):
        build(spec)


def test_a_default_that_has_changed_since_the_training_is_named_and_the_advice_works(folder, project):
    project("nets.py", "def net(act='gelu', deep=2): return act\n")
    write_entry(folder / "zoo/net", '{"_target_": "nets:net"}', weights="w.safetensors", weights_sha256=SHA256)
    with open(folder / "zoo/net/card.toml", "a") as card:
        card.write('[defaults."nets.net"]\nact = "\'relu\'"\ndeep = "2"\ngone = "1"\n')
    text = told(lambda: build(zoo.get("./zoo/net", trained=True, allow=["nets"])), ZooError)
    assert (
        text
        == """\
act  was 'relu' by default when the weights were trained, and is 'gelu' today
     to set it as it was:  act='relu'"""
    )
    advice = text.split("to set it as it was:  ")[1]
    past = told(lambda: build(zoo.get("./zoo/net", [advice], trained=True, allow=["nets"])), ZooError)
    assert past == "there is no file zoo/net/w.safetensors"
