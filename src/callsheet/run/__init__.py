"""Running: a trial goes from a plan through a request to a worker, and leaves a run directory."""
