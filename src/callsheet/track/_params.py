"""What a run's spec says, as params: by path, without secrets and without what tracks it."""

from __future__ import annotations

from typing import Any

from callsheet._items import CALLS, target_text
from callsheet._layout import layout
from callsheet._lazy import plain, target
from callsheet._path import format_path
from callsheet._ref import Ref
from callsheet._secret import Secret
from callsheet._target import Name, resolve
from callsheet._tree import KINDS, kind_of, walk
from callsheet.track._entries import param_of
from callsheet.track._tracker import Tracker

_LEAVES = {**KINDS, Ref: None}


def params_of(spec: Any) -> dict[str, Any]:
    """The leaves of a resolved spec by path, and what each call calls.

    A sequence of plain values is one param. References stand for what is known
    only in the run, secrets are nobody's business, and a tracker's own settings
    tell nothing of the run: none of them is a param.

    >>> from callsheet import lazy
    >>> params_of({"lr": 0.1, "net": lazy(dict)(width=8, betas=(0.9, 0.99))})
    {'lr': 0.1, 'net': 'dict', 'net.width': 8, 'net.betas': '(0.9, 0.99)'}
    """
    found: dict[str, Any] = {}
    passed: list[tuple[Any, ...]] = []  # what lies below is no param, or is one already
    for steps, value in walk(spec, kinds=_LEAVES):
        if any(steps[: len(before)] == before for before in passed):
            continue
        path = format_path(steps)
        if type(value) in CALLS:
            if _is_tracker(value):
                passed.append(steps)
            elif steps:
                found[path] = target_text(value)
        elif isinstance(value, Ref | Secret):
            continue
        elif kind_of(type(value), _LEAVES) is None:
            found[path] = _leaf(value)
        elif steps and _is_plain_sequence(value):
            passed.append(steps)
            found[path] = layout(plain(value), width=1000)
    return found


def _leaf(value: Any) -> Any:
    shown = param_of(value)
    return shown if shown is value or isinstance(shown, int | float) else layout(value, width=1000)


def _is_plain_sequence(value: Any) -> bool:
    items = plain(value)
    return type(items) in (list, tuple) and all(type(item) in (bool, int, float, str, type(None)) for item in items)


def _is_tracker(call: Any) -> bool:
    called = target(call)
    if type(called) is Name:
        try:
            called = resolve(called)
        except Exception:  # noqa: BLE001  (what cannot be imported is no tracker of this run)
            return False
    return isinstance(called, type) and issubclass(called, Tracker)
