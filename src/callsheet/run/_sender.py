"""What was handed to an engine: noted, followed, collected."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from callsheet.errors import Fault, RunError
from callsheet.run._code import carry_code, carry_library
from callsheet.run._engine import Engine, Refused, Request, Seen, Unreachable
from callsheet.run._guard import passed_limit
from callsheet.run._job import Exit, Task
from callsheet.run._pace import Pace
from callsheet.run._plan import Plan
from callsheet.run._sendings import Sending, Sendings
from callsheet.run._store import Store

if TYPE_CHECKING:
    from callsheet.run._remote import RemoteExecutor

_LATE_S = 20.0
"""Seconds for which the files of a run that ended well are waited for."""


class RemoteSender:
    """The tasks of a plan that an engine has.

    A request is noted before it is handed over and again with the engine's id for it, so that after a crash in between
    it is looked for by its name. While the engine does not answer, nothing is given up.

    Args:
        on: Where tasks go.
        plan: Their plan.
        engine: What takes the requests; `on.engine()` by default.

    Attributes:
        trouble: Why the engine cannot be asked at this moment; "" where it can.
    """

    def __init__(self, on: RemoteExecutor, plan: Plan, engine: Engine | None = None) -> None:
        self._on = on
        self._plan = plan
        self._runs = plan.runs
        self._engine: Engine = engine or on.engine()
        self._sendings = Sendings(plan)
        self._turns = self._sendings.turns()
        self._code: str | None = None
        self._open: dict[str, Sending] = {}
        self._unsure: dict[str, Request] = {}
        self._at: dict[int, tuple[str, int]] = {}
        self._waiting: dict[int, str] = {}
        self._began: dict[int, float] = {}
        self._exits: list[Exit] = []
        self._doubts: dict[int, float] = {}
        self._pace = Pace(on.poll_s)
        self._to_end: set[tuple[str, int | None]] = set()
        self._has_answered = False
        self._address = f"{type(on).__name__} {self._engine.address}".rstrip()
        self.trouble = ""

    def room(self) -> int:
        """How many tasks may be handed over now."""
        free = self._on.capacity - len(self._at)
        return free if not self.trouble and free >= min(self._on.least, self._on.capacity) else 0

    def spare(self) -> int:
        """How many may be handed over beside the others, one by one."""
        most = self._on.capacity if self._on.slots is None else min(self._on.slots, self._on.capacity)
        return 0 if self.trouble else max(0, most - len(self._at))

    def send(self, tasks: Sequence[Task]) -> int:
        """Hand over tasks; all count as sent: those for which the engine is away are handed over when it answers."""
        code = self._carried()
        made = [replace(task, turn=self._turns.get(task.index, 0) + 1, code=code) for task in tasks]
        for request in self._on.requests(made):
            indices = tuple(task.index for task in request.tasks)
            self._sendings.intend(request.name, self._address, indices)
            self._hold(Sending(request.name, self._address, indices))
            self._unsure[request.name] = request
            for index in indices:
                self._turns[index] = self._turns.get(index, 0) + 1
            if not self.trouble:
                self._hand_over(request, is_new=True)
        if not self.trouble:
            self._pace.sent()
        return len(tasks)

    def poll(self, timeout_s: float) -> list[Exit]:
        """Those that have ended; asks the engine when it is time to."""
        latest = time.monotonic() + timeout_s
        while True:
            if self._open and self._pace.left_s() <= 0:
                self._look()
            left = latest - time.monotonic()
            if self._exits or left <= 0:
                break
            time.sleep(min(left, max(self._pace.left_s(), 0.01)) if self._open else left)
        exits, self._exits = self._exits, []
        return exits

    def stop(self, index: int) -> None:
        """Ask one to end; one that was just refused has ended."""
        if index in self._at:
            self._to_end.add(self._at[index])
            self._end_asked()

    def cancel(self) -> None:
        """Ask all to end."""
        self._to_end.update((name, None) for name in self._open)
        self._end_asked()

    def kill(self) -> None:
        """Ask all to end: an engine ends by itself what does not listen."""
        self.cancel()

    def resumed(self) -> Collection[int]:
        """The jobs that were handed over to this engine before and have not ended.

        Raises:
            RunError: Another of its kind has some.
        """
        kind = type(self._on).__name__
        for sending in self._sendings.read().values():
            if not sending.is_open or sending.on.partition(" ")[0] != kind:
                continue
            if sending.on != self._address:
                problem = f"{sending.on} has trials of this, and {self._address} is another"
                forget = f"where those are no more:  rm {self._plan.folder / 'sent.jsonl'}"
                raise RunError(Fault("", problem, advice=["reach it as they were submitted", forget]))
            if not sending.id:
                found = self._engine.find(sending.name)
                if found is None:  # whoever noted it came no further
                    self._sendings.ended((sending.name, position) for position, _ in sending.left())
                    continue
                self._sendings.sent(sending.name, found)
                sending = replace(sending, id=found)
            self._hold(sending)
        return tuple(self._at)

    def output(self, index: int) -> bytes:
        """What one has written that came to no run directory, as far as the engine has it."""
        if not self._at:
            self.resumed()
        name, position = self._at.get(index, ("", 0))
        return self._engine.output(self._open[name].id, position) if name and self._open[name].id else b""

    def queued(self) -> Collection[int]:
        """Those that wait for the engine to start them."""
        return self._waiting.keys()

    @property
    def waits_for(self) -> str:
        """What most of these wait for, where the engine says so."""
        reasons = Counter(filter(None, [*self._waiting.values()]))
        return reasons.most_common(1)[0][0] if reasons else ""

    def close(self) -> None:
        """Let go of the engine; what runs there goes on."""
        self._engine.close()

    # ------------------------------------------------------------------------------------------------------------------

    def _carried(self) -> str:
        """What a worker needs is put among the runs, once; gives the digest of the archive of the code."""
        if self._code is None:
            if self._on.in_container:
                carry_library(self._runs)
            self._code = carry_code(self._plan.header(), self._plan.runs) if self._on.code == "archive" else ""
        return self._code

    def _hold(self, sending: Sending) -> None:
        self._open[sending.name] = sending
        for position, index in sending.left():
            self._at[index] = (sending.name, position)
            self._waiting[index] = ""

    def _hand_over(self, request: Request, *, is_new: bool = False) -> None:
        """Submit a request; where the engine does not answer it stays in doubt, and is looked for later."""
        sending = self._open[request.name]
        try:
            id = None if is_new else self._engine.find(request.name)
            if id is None and self._is_to_end(sending):
                self._withdraw(sending, lambda index: Exit(index, -signal.SIGTERM))
                return
            id = id or self._engine.submit(request)
        except Refused as error:
            problem = error.faults[0].problem
            self._withdraw(sending, lambda index: Exit(index, 1, problem, "program", refused=True))
            return
        except (Unreachable, RunError) as error:
            self._be_away(error)
            return
        self._answered()
        del self._unsure[request.name]
        self._open[request.name] = replace(sending, id=id)
        self._sendings.sent(request.name, id)

    def _withdraw(self, sending: Sending, exit: Callable[[int], Exit]) -> None:
        """A request is not handed over: all that it holds has ended."""
        self._answered()
        del self._unsure[sending.name]
        for position, index in [*sending.left()]:
            self._end(sending.name, position, exit(index))

    def _look(self) -> None:
        """Ask the engine what has become of what it has."""
        began = time.monotonic()
        try:
            self._end_asked()
            known = {sending.id: sending for sending in self._open.values() if sending.id}
            before = len(self._waiting), len(self._at)
            for id, seen in (self._engine.look([*known]) if known else {}).items():
                for position, index in [*known[id].left()]:
                    if position in seen:
                        self._see(known[id], position, index, seen[position])
            if known:
                self._answered()
        except (Unreachable, RunError) as error:
            self._be_away(error)
            return
        took_s = time.monotonic() - began
        for request in [*self._unsure.values()]:  # last: an engine that is full says what has ended all the same
            self._hand_over(request)
            if self.trouble:
                if known:
                    self._pace.full()
                return
        self._pace.looked(took_s, changed=before != (len(self._waiting), len(self._at)))

    def _see(self, sending: Sending, position: int, index: int, seen: Seen) -> None:
        if seen.state == "queued":
            self._waiting[index] = seen.reason
        elif index in self._waiting:
            del self._waiting[index]
            self._began[index] = time.monotonic()
        if seen.state == "ended":
            code = seen.code if seen.code is not None else self._code_by_run(index)
            if code == 0 and not self._is_done(index):
                return
            self._collect(sending.id, position, index)
            exit = self._limited(Exit(index, code, seen.reason, seen.blame))
            if code == 0 and index in self._doubts:
                shared = f"it ended well, but no result of it came to {self._runs}: is that the same folder there?"
                exit = Exit(index, 1, shared)
            self._end(sending.name, position, exit)
        elif seen.state == "returned":
            self._end(sending.name, position, Exit(index, 1, seen.reason, "machine", returned=True))
        elif seen.state == "unknown":
            name = self._plan.run_of(index)
            state = Store(self._runs).read(name).state if name is not None else "lost"
            if state in ("done", "failed"):
                self._end(sending.name, position, Exit(index, self._code_by_run(index)))
            elif state != "running":
                reason = "nothing is known of it any more where it was sent to"
                self._end(sending.name, position, Exit(index, -signal.SIGKILL, reason, "machine"))

    def _end(self, name: str, position: int, exit: Exit) -> None:
        self._sendings.ended([(name, position)])
        sending = self._open[name]
        self._open[name] = sending = replace(sending, ended=sending.ended | {position})
        del self._at[exit.index]
        self._doubts.pop(exit.index, None)
        self._waiting.pop(exit.index, None)
        self._pace.ended(time.monotonic() - self._began.pop(exit.index, time.monotonic()))
        self._exits.append(exit)
        if not sending.is_open:
            del self._open[name]
            if sending.id:
                self._asking(partial(self._engine.forget, sending.id))

    def _end_asked(self) -> None:
        for name, position in [*self._to_end]:
            sending = self._open.get(name)
            if sending is None or position in sending.ended:
                self._to_end.discard((name, position))
            elif sending.id:
                some = None if position is None or len(sending.indices) == 1 else [position]
                if self._asking(partial(self._engine.end, sending.id, some)):
                    self._to_end.discard((name, position))

    def _is_to_end(self, sending: Sending) -> bool:
        """Whether all that a request holds was told to end before it was handed over."""
        told = {position for name, position in self._to_end if name == sending.name}
        return None in told or told.issuperset(range(len(sending.indices)))

    def _collect(self, id: str, position: int, index: int) -> None:
        """Keep what a task has written that came to no run directory."""
        if self._plan.run_of(index) is None:
            output = self._engine.output(id, position)
            if output:
                log = self._plan.folder / "logs" / f"{index}.log"
                log.parent.mkdir(exist_ok=True)
                log.write_bytes(output)

    def _limited(self, exit: Exit) -> Exit:
        """How a job has ended, by the limit that it has passed where nobody but its worker knows of one."""
        name = self._plan.run_of(exit.index) if exit.code and not exit.limit else None
        passed = passed_limit(self._runs / name) if name is not None else None
        return exit if passed is None else replace(exit, limit=passed.reason, blame=passed.blame)

    def _code_by_run(self, index: int) -> int:
        """The exit code of a job of which the engine says none, as its run has it."""
        name = self._plan.run_of(index)
        run = Store(self._runs).read(name) if name is not None else None
        if run is not None and run.state == "done":
            return 0
        exit = run.status.get("exit") if run is not None else None
        if run is not None and run.state == "lost":
            return -signal.SIGKILL
        return exit if isinstance(exit, int) and exit else 1

    def _is_done(self, index: int) -> bool:
        """Whether one that ended well is done; what was written elsewhere may be seen a while later here."""
        name = self._plan.run_of(index)
        if name is not None and Store(self._runs).read(name).state == "done":
            self._doubts.pop(index, None)
            return True
        return time.monotonic() > self._doubts.setdefault(index, time.monotonic() + _LATE_S)

    def _asking(self, ask: Callable[[], None]) -> bool:
        """Ask the engine for what can be asked for again; gives whether it answered."""
        try:
            ask()
        except (Unreachable, RunError) as error:
            self._be_away(error)
            return False
        return True

    def _answered(self) -> None:
        self._has_answered = True
        self.trouble = ""

    def _be_away(self, error: Unreachable | RunError) -> None:
        """What an engine says no more, as it wants another token by now, is waited for; said at once, it is told."""
        if isinstance(error, RunError):
            if not self._has_answered:
                raise error
            self.trouble = error.faults[0].problem
        else:
            self.trouble = str(error)
        self._pace.away()
