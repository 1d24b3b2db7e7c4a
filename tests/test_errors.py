"""Errors are data first; one renderer writes them for a person."""

from callsheet.errors import Fault, OverrideError, PathError, SpecError, render

FAULTS = [
    Fault("optim.lrr", "no such argument of train.Adam", origin="command line", advice=["did you mean  optim.lr?"]),
    Fault("model", "cannot import far.Net", origin="conf.py:3", advice=["install it", "or set --path"]),
    Fault("model.head", "cannot import far.Head", origin="conf.py:4", advice=["install it", "or set --path"]),
    Fault("a.path.that.is.longer.than.its.column", "must be int, found 'x'", origin="conf.py:5"),
    Fault("", "has no place"),
]


def test_faults_stand_in_columns_and_advice_that_several_share_stands_once():
    assert render(FAULTS) == (
        "optim.lrr                     no such argument of train.Adam    command line\n"
        "                              did you mean  optim.lr?\n"
        "model                         cannot import far.Net             conf.py:3\n"
        "model.head                    cannot import far.Head            conf.py:4\n"
        "                              install it\n"
        "                              or set --path\n"
        "a.path.that.is.longer.than.its.column  must be int, found 'x'   conf.py:5\n"
        "                              has no place"
    )


def test_an_origin_that_finds_no_room_gets_a_line():
    fault = Fault("a", "x" * 70, origin="conf.py:1")
    assert render([fault]) == f"a  {'x' * 70}\n   set by conf.py:1"


def test_one_fault_without_a_place_is_a_sentence():
    assert render([Fault("", "there is no file conf.py", advice=["did you mean  config.py?"])], indent="  ") == (
        "  there is no file conf.py\n    did you mean  config.py?"
    )


def test_a_problem_of_several_lines_keeps_them():
    assert render([Fault("a.b", "one\ntwo", origin="conf.py:3", advice=["three"])]).splitlines() == [
        "a.b  one                                                           conf.py:3",
        "     two",
        "     three",
    ]


def test_an_error_has_its_faults_as_data_and_python_s_own_kind():
    error = SpecError(*FAULTS[:1])
    assert [fault.as_data() for fault in error.faults] == [
        {
            "path": "optim.lrr",
            "problem": "no such argument of train.Adam",
            "origin": "command line",
            "advice": ["did you mean  optim.lr?"],
        }
    ]
    assert str(error) == render(FAULTS[:1])
    assert isinstance(OverrideError(FAULTS[0]), ValueError)
    assert isinstance(PathError(FAULTS[0]), KeyError)
