"""Files of overrides: one a line, told by file and line."""

import pytest

from callsheet import load, origin, override, plain, sweep
from callsheet.errors import OverrideError


def test_a_file_holds_one_override_a_line(project):
    project("o.txt", "# what we use\n\n  a = 2\nb='# no comment'\n")
    assert plain(override({"a": 1, "b": 0, "c": 0}, ["c=1", "@o.txt", "a=3"])) == {"a": 3, "b": "# no comment", "c": 1}


def test_what_a_file_set_has_its_line_for_origin(project):
    project("o.txt", "a=2\n")
    project("conf.py", "a = 1\n")
    found = origin(load("conf.py", ["@o.txt"]), "a")
    assert (found.kind, found.where, found.text) == ("override", "o.txt:1", "a=2")


def test_faults_of_a_file_name_its_lines_and_come_together(project):
    project("o.txt", "a=[\nb=1\nc=1,2\n")
    with pytest.raises(OverrideError) as caught:
        override({"a": 1}, ["@o.txt", "d"])
    assert [(fault.origin, fault.problem) for fault in caught.value.faults] == [
        ("o.txt:1", "this '[' is not closed, at column 3"),
        ("o.txt:3", "is a sweep, and only one value can stand here"),
        ("", "'d' is not an override: there is no '='"),
    ]
    project("o.txt", "b=1\n")
    with pytest.raises(OverrideError) as caught:
        override({"a": 1}, "@o.txt")
    assert [(fault.path, fault.origin) for fault in caught.value.faults] == [("b", "o.txt:1")]


def test_a_file_names_no_other_and_has_to_be_there(project):
    project("o.txt", "a=1\n@o.txt\n")
    for text, problem in [
        ("@o.txt", "@o.txt names a file of overrides inside of one"),
        ("@gone.txt", "the overrides in gone.txt cannot be read: No such file or directory"),
    ]:
        with pytest.raises(OverrideError) as caught:
            override({"a": 1}, text)
        assert [fault.problem for fault in caught.value.faults] == [problem]


def test_a_sweep_reads_files_too(project):
    project("o.txt", "a=1,2\n")
    assert sweep({"a": 0}, "@o.txt").axes == {"a": ("1", "2")}
