"""Tests of the command, a file for each verb."""
