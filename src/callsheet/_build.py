"""Building: the calls happen, each once, in the order in which they need each other."""

from __future__ import annotations

from ._joint import JOINT, Joint
from ._note import add_note
from ._program import Program
from ._ready import References, faults_of
from ._running import RECORDING, RUNNING
from ._spec import given_within
from .errors import CallsheetError, Fault, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar, overload

    from ._config import Config

    R = TypeVar("R")
    T = TypeVar("T")

    @overload
    def build(spec: Config[R], *, root: Any = None) -> R: ...

    @overload
    def build(spec: T, *, root: Any = None) -> T: ...

    def build(spec: Any, *, root: Any = None) -> Any: ...

else:

    def build(spec, *, root=None):
        """Make the calls that a spec describes; the spec stays as it was.

        A node that is reached twice is built once, also by the `build` methods of
        classes that have their own, within which this function goes on with the same
        build. Dicts, lists and tuples become plain ones. Before the first call happens,
        everything that is wrong with the names, the missing values and the references is
        reported together.

        Args:
            spec: A call, or anything that holds calls.
            root: Where references by path (`${a.b}`) start that are bound to no
                loaded file; the spec itself by default.

        Returns:
            What the call returned; of a container, the same container of what its
            calls returned. A `Partial` becomes a `functools.partial`.

        Raises:
            SpecError: The spec cannot be built; `faults` has every reason.
            TrustError: It comes from data, and no policy allows its targets.
            Exception: Whatever a target raises, with a note of where in the spec it stands.

        >>> from callsheet import lazy
        >>> build(lazy(dict)(a=lazy(int)("11", base=2)))
        {'a': 3}
        """
        spec, root = given_within(spec, root)
        joint = JOINT.get()
        if joint is not None and root is None:
            return joint.build(spec)
        start = spec if root is None else root
        references = References(start, spec)
        program = program_of(spec, root=start, references=references)
        work = Joint(spec, start, references) if program.by_hand else program
        recording = RECORDING.get()
        if recording is not None and recording.nodes_of is None:
            recording.nodes_of = work.nodes_of
        if type(work) is Joint:
            return work.build(spec)
        try:
            return program.run()
        except Exception as error:
            add_note(error, program.at, spec, root=start, references=references)
            raise


def program_of(spec: Any, *, root: Any, references: References) -> Program:
    """The calls that build a spec, when nothing is wrong with it.

    Raises:
        SpecError: Something is; `faults` has every reason.
    """
    program: Program | None = None
    unsound: tuple[Fault, ...] = ()
    try:
        program = Program(spec, references.kinds)
    except CallsheetError as error:
        unsound = error.faults
    if program is None or program.by_hand or not program.sound:
        faults = faults_of(spec, references=references, running=RUNNING.get() is not None) or unsound
        if faults:
            raise SpecError(*faults)
    assert program is not None
    return program
