"""What a run knows only when it runs, seen by the build inside it; and the files that a load has read so far."""

from __future__ import annotations

from contextvars import ContextVar

RUNNING: ContextVar[dict[str, object] | None] = ContextVar("callsheet_running", default=None)
"""The running run's `dir`, `id`, `index` and `attempt`; while a file is run only for what it defines, its path as
`defining`; None outside of both."""

READ: ContextVar[dict[str, None] | None] = ContextVar("callsheet_read", default=None)
"""The files that the running load has read, those of loads inside it too; None where nobody asks."""
