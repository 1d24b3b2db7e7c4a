"""Subprocesses do what all executors can."""

from callsheet.run.process import Process
from callsheet.testing import ExecutorSuite


class TestProcess(ExecutorSuite):
    def make(self, **fields):
        return Process(**fields)
