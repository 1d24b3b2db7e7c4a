"""What whoever writes a plugin runs: suites of tests that every member of a family passes."""

from callsheet.testing._executors import EngineSuite, ExecutorSuite
from callsheet.testing._trackers import Noted, TrackerSuite, tracked_run

__all__ = ["EngineSuite", "ExecutorSuite", "Noted", "TrackerSuite", "tracked_run"]
