"""What people see keeps to the columns of their terminal, and is coloured where they can see it; a pipe gets plain lines."""

import os
import re
import subprocess

import pytest

VERBS = {
    "check": ("check", "conf.py", "optim.lrr=3e-3", "model.width=64x", "optim.betas=3"),
    "notes of a check": ("check", "conf.py", "epochs=8"),
    "a sentence": ("check", "a_file_that_is_not_there_at_all.py"),
    "misuse": ("diff", "conf.py"),
    "a mark": ("show", "conf.py", "model=" + "{a: 1, " * 10 + "[1, 2"),
    "show": ("show", "conf.py"),
    "origins": ("show", "conf.py", "--origins"),
    "diff": ("diff", "conf.py", "epochs=8", "optim.lr=3e-3", "model.classes=3"),
    "why": ("why", "conf.py", "optim.lr", "optim.lr=3e-3"),
    "help": ("help", "conf.py", "epochs=8"),
    "compare": ("compare",),
    "zoo": ("zoo", "list"),
}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A project with two runs that differ."""
    from command import Project

    cmd = Project(tmp_path_factory.mktemp("terminal")).listing()
    cmd("run", "conf.py")
    cmd("run", "conf.py", "epochs=3", "optim.lr=3e-3")
    return cmd


@pytest.mark.parametrize(
    ("verb", "columns"), [*((verb, 40) for verb in VERBS), ("check", 60), ("origins", 60), ("diff", 60), ("check", 200)]
)
def test_no_line_is_longer_than_the_terminal_has_columns(here, verb, columns):
    shown = here.screen(*VERBS[verb], columns=columns)
    assert shown
    assert max(map(len, shown.splitlines())) <= columns


def test_on_a_narrow_terminal_columns_give_way_and_no_path_or_origin_is_broken(here):
    assert (
        here.screen("check", "conf.py", "optim.lrr=3e-3", "optim.betas=3", columns=40)
        == """\
callsheet: 2 faults, nothing was built
  optim.lrr
    no such argument of train.Adam
    set by command line
    did you mean  optim.lr = 0.001
      (conf.py:8)?
  optim.betas
    must be tuple[float, float], found 3
    set by command line
    Adam(params: list, lr: float =
      0.001, betas: tuple[float, float]
      = (0.9, 0.999))
"""
    )
    assert (
        here.screen("diff", "conf.py", "epochs=8", columns=40)
        == """\
epochs       5 → 8
             conf.py:5 → command line
main.epochs  5 → 8
             conf.py:9
"""
    )
    long = "model.width=[" + ", ".join(map(str, range(40)))
    assert (
        here.screen("show", "conf.py", long, columns=40)
        == """\
callsheet: this '[' is not closed, at
  column 13
  model.width=[0, 1, 2, 3, 4, 5, 6, 7, …
              ^
"""
    )
    assert here.screen("compare", columns=40).splitlines()[:3] == [here.ids()[0], "  no.       1", "  state     done"]


def test_in_a_pipe_no_line_is_broken_and_nothing_is_coloured(here):
    words = ("check", "conf.py", "optim.betas=3", "optim.lrr=3e-3")
    said = here(*words, code=1, env={"COLUMNS": "40"})
    assert (
        "\n               Adam(params: list, lr: float = 0.001, betas: tuple[float, float] = (0.9, 0.999))\n"
        in said.err
    )
    assert "\x1b" not in said.err
    assert here("diff", "conf.py", "epochs=8", env={"COLUMNS": "40"}, code=1).out == (
        "epochs       5 → 8  conf.py:5 → command line\nmain.epochs  5 → 8  conf.py:9\n"
    )


COLOURED = {
    ("check", "conf.py", "optim.lrr=3e-3"): (
        "callsheet: <31>1 fault<0>, nothing was built\n"
        "  <1>optim.lrr<0>  no such argument of train.Adam                     <2>command line<0>\n"
        "             did you mean  <32>optim.lr = 0.001  (conf.py:8)?<0>\n"
    ),
    ("show", "conf.py", "a=[1"): "callsheet: this '[' is not closed, at column 3\n  a=[1\n    <31>^<0>\n",
    ("diff", "conf.py", "epochs=8", "--path", "."): (
        "epochs       <31>5<0> → <32>8<0>  <2>conf.py:5 → command line<0>\n"
        "main.epochs  <31>5<0> → <32>8<0>  <2>conf.py:9<0>\n"
    ),
    ("why", "conf.py", "epochs", "epochs=8"): (
        "<1>8<0>  <2>command line<0>  <2>epochs=8<0>\n<2>5<0>  <2>conf.py:5<0>     <2>replaced<0>\n"
    ),
    ("chek",): (
        "callsheet: there is no verb 'chek'\n"
        "  did you mean  <32>callsheet check?<0>\n"
        "  Usage: callsheet [OPTIONS] VERB ...\n"
        "  callsheet --help  tells more\n"
    ),
}


@pytest.mark.parametrize(("words", "expected"), COLOURED.items(), ids=lambda words: words[0])
def test_colours_are_few_and_only_where_somebody_sees_them(here, words, expected):
    def marked(text):
        return re.sub(r"\x1b\[(\d+)m", r"<\1>", text)

    squeezed = re.compile(r"(?<=\S) +(?=<2>)")
    plain = re.sub(r"<\d+>", "", expected)
    assert squeezed.sub(" ", marked(here.screen(*words, NO_COLOR=""))) == squeezed.sub(" ", expected)
    for variables in ({"NO_COLOR": "1"}, {"NO_COLOR": "", "TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}):
        assert squeezed.sub(" ", here.screen(*words, **variables)).split() == plain.split()
    said = here(*words, code=None, env={"NO_COLOR": "", "FORCE_COLOR": "1"})
    assert marked(said.out + said.err).split() == expected.split()
    said = here(*words, code=None, env={"NO_COLOR": "", "FORCE_COLOR": "0"})
    assert (said.out + said.err).split() == plain.split()


@pytest.mark.parametrize(
    "words",
    [
        ("show", "big.py"),
        ("show", "big.py", "--json"),
        ("show", "nope.py", "--json"),
        ("show", "big.py", "--nope", "--json"),
        ("show", "--help"),
        ("help", "--help"),
        ("show", "big.py", "--origins"),
        ("help", "big.py"),
        ("convert", "big.py"),
        ("schema", "big.py"),
        ("check", "wrong.py"),
        ("completion", "bash"),
        ("--help",),
    ],
    ids=" ".join,
)
def test_a_reader_who_leaves_ends_it_without_a_word(here, words):
    here.write(
        "big.py", "from callsheet import lazy\nfrom train import Net\nx = [lazy(Net)(width=i) for i in range(4000)]\n"
    )
    here.write(
        "wrong.py", "from callsheet import lazy\nfrom train import Net\nx = [lazy(Net)(w=1) for i in range(40)]\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    err = subprocess.PIPE if words[0] != "check" else writing
    process = here.start(*words, stdin=subprocess.DEVNULL, stdout=writing, stderr=err)
    os.close(writing)
    assert process.communicate()[1] in ("", None)
    assert process.returncode == 1


SPECS = ("help", "show", "check", "run", "sweep", "diff", "schema", "convert")


@pytest.mark.parametrize("verb", SPECS)
def test_every_verb_that_reads_a_config_tells_its_faults_as_data(here, verb):
    here.write("raises.py", "1 / 0\n")
    for words, problem, code in (
        ([verb, "nope.py"], "there is no file nope.py", 1),
        ([verb, "raises.py"], "ZeroDivisionError: division by zero", 1),
        ([verb, "conf.py", "--nothing"], "there is no option --nothing", 2),
    ):
        more = ["epochs=1,2"] if verb == "sweep" else ["epochs=1"] if verb == "diff" else []
        said = here(*words, *more, "--json", code=2 if verb == "diff" else code)
        (fault,) = said.data["faults"]
        assert (fault["problem"], [*fault]) == (problem, ["path", "problem", "origin", "advice"])
        assert said.err == ""
    if verb != "convert":
        said = here(
            verb,
            "conf.py",
            "optm.lr=1,2" if verb == "sweep" else "optm.lr=1",
            "--json",
            code=2 if verb == "diff" else 1,
        )
        assert said.data["faults"][0]["path"] == "optm.lr"
        assert said.data["faults"][0]["advice"][0] == "did you mean  optim.lr?"


def test_what_stands_in_help_and_convert_is_data_too(here):
    told = here("help", "conf.py:model", "model.width=3", "--json").data
    assert told["faults"] == []
    (section,) = told["sections"]
    assert (section["path"], section["label"]) == ("model", "Net")
    assert next((entry["path"], entry["value"], entry["origin"]) for entry in section["entries"]) == (
        "model.width",
        "3",
        "command line, was 64",
    )
    assert here("convert", "conf.py:model", "--json").data["python"].endswith("lazy(Net)(width=64, classes=10)\n")
    assert here("convert", "conf.py", "other.yaml", "--json").data == {"wrote": "other.yaml"}
