"""Configurations in the manner of glasses: dataclasses with a handwritten `build`, of which only the import changes."""

from __future__ import annotations

import callsheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    class Config(callsheet.Config[Any]):
        """A dataclass with a handwritten `build`."""

else:

    class Config(callsheet.Config):
        """A dataclass with a handwritten `build`, as code for glasses has it; every verb of Callsheet works on it.

        It is `callsheet.Config`, but for one thing: what its `build` method asks for
        several times, it gets several times, as that code expects.
        `[self.block.build() for _ in range(6)]` makes six blocks with weights of
        their own, where a `callsheet.Config` would get one six times. What stands
        at two places of a spec is built once here as well.

        Raises:
            SpecError: It is built without a `build` method.

        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Layer(Config):
        ...     width: int
        ...     def build(self):
        ...         return [self.width]
        >>> @dataclass
        ... class Stack(Config):
        ...     layer_config: Config
        ...     depth: int
        ...     def build(self):
        ...         return [self.layer_config.build() for _ in range(self.depth)]
        >>> first, second = Stack(Layer(8), depth=2).build()
        >>> first == second, first is second
        (True, False)
        """

        __callsheet_each_time__ = True
