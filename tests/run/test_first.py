"""The first process of a container passes signals on, and ends as its child does (promise 23)."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, time
from callsheet.run._first import beside_first

def main():
    if sys.argv[1] == "waits":
        signal.signal(signal.SIGTERM, lambda number, frame: os._exit(7))
        print("waits", flush=True)
        time.sleep(600)
    if sys.argv[1] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    return 3

sys.exit(beside_first(main))
"""


def start(*words):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *words], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("how", "code"), [("ends", 3), ("killed", 128 + signal.SIGKILL)])
def test_its_exit_code_is_that_of_the_child(how, code):
    process = start(how)
    process.communicate(timeout=60)
    assert process.returncode == code


def test_a_signal_reaches_the_child():
    process = start("waits")
    assert process.stdout.readline() == "waits\n"
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 7
