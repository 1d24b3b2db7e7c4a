"""A template for a parser gives back what the parser read."""

import argparse
import shlex

import pytest

from callsheet.run import argparse_to_command
from callsheet.run._template import fill
from saying import told


def parser_of_all_kinds():
    parser = argparse.ArgumentParser(prog="train.py")
    parser.add_argument("--version", action="version", version="1")
    parser.add_argument("data")
    parser.add_argument("more", nargs="*")
    parser.add_argument("-a", "--arch", default="resnet18", choices=["resnet18", "resnet50"])
    parser.add_argument("--lr", "--learning-rate", type=float, default=0.1, dest="rate")
    parser.add_argument("-b", type=int)
    parser.add_argument("--sizes", nargs="+", type=int, default=[1])
    parser.add_argument("--betas", nargs=2, type=float)
    parser.add_argument("--pretrained", action="store_true")
    parser.add_argument("--no-shuffle", action="store_false", dest="shuffle")
    parser.add_argument("--amp", action=argparse.BooleanOptionalAction)
    parser.add_argument("--fast", action="store_const", const=3, dest="speed")
    parser.add_argument("-v", "--verbose", action="count")
    parser.add_argument("-I", "--include", action="append")
    parser.add_argument("--extra", action="extend", nargs="+")
    return parser


@pytest.mark.parametrize(
    "argv",
    [
        ["d"],
        ["d", "e", "f g"],
        ["d", "--arch", "resnet50", "--lr", "1e-3", "-b", "4", "--pretrained", "--no-shuffle"],
        ["d", "--sizes", "3", "4", "--betas", "0.8", "0.9", "--amp", "--fast", "-vv"],
        ["d", "--arch=resnet18", "--lr", "-3"],
        ["d", "--no-amp", "-I", "x", "-I", "y z", "--extra", "p", "q"],
    ],
)
def test_what_was_parsed_is_parsed_from_the_filled_template_too(argv):
    parser = parser_of_all_kinds()
    args = parser.parse_args(argv)
    words = fill(argparse_to_command(parser), vars(args))
    assert words[:2] == ["python", "train.py"]
    assert parser.parse_args(words[2:]) == args


def test_names_may_stand_below_another():
    parser = argparse.ArgumentParser(prog="t.py")
    parser.add_argument("--lr")
    parser.add_argument("--flag", action="store_true")
    assert argparse_to_command(parser, "python -m t", prefix="hp.") == (
        "python -m t --lr={{hp.lr}} {{hp.flag | flag('--flag')}}"
    )


def test_a_name_that_is_no_identifier_is_an_item():
    parser = argparse.ArgumentParser(prog="t.py")
    parser.add_argument("--lr", dest="optim.lr")
    template = argparse_to_command(parser, prefix="hp.")
    assert shlex.join(fill(template, {"hp": {"optim.lr": 1}})) == "python t.py --lr=1"


def test_subcommands_are_refused():
    parser = argparse.ArgumentParser(prog="t.py")
    parser.add_subparsers().add_parser("fit")
    assert told(lambda: argparse_to_command(parser), ValueError) == (
        "t.py has subcommands: take the parser of one of fit"
    )
