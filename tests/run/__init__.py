"""Tests of runs: where they go, what they record, how they go on."""
