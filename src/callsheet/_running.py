"""What a run knows only when it runs, seen by the build that happens inside it."""

from __future__ import annotations

from contextvars import ContextVar

RUNNING: ContextVar[dict[str, object] | None] = ContextVar("callsheet_running", default=None)
"""The running run's `dir`, `id`, `index` and `attempt`; while a file is run only for what it defines, its path as
`defining`; None outside of both."""
