"""Spaces drawn from without learning: at random, or spread evenly; each point follows from the seed and its number."""

from __future__ import annotations

import math

from ._alternatives import Range
from ._space import Space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ._grammar import Override
    from ._space import Dimension, Pick, Suggest


class Random(Space):
    """Trials of another space, drawn at random; of a finite one each comes once at most.

    Args:
        wanted: How many.
        space: What they are drawn from.
        seed: Other trials for another.
    """

    name = "random"

    def __init__(self, wanted: int, space: Space, seed: int) -> None:
        self.wanted = wanted
        self.space = space
        self.seed = seed
        self.count = wanted if space.count is None else min(wanted, space.count)

    def at(self, n: int) -> list[Pick]:
        if self.space.count is not None:
            return self.space.at(shuffled(n, self.space.count, self.seed))
        return self.space.decided(at_random(n, self.seed))

    def decided(self, suggest: Suggest, prefix: str = "") -> list[Pick]:
        return self.at(suggest(prefix + self.name, self.count or 0))

    def dimensions(self, prefix: str = "") -> Iterator[tuple[str, Dimension]]:
        yield prefix + self.name, self.count or 0

    def axes(self, prefix: str = "") -> Iterator[tuple[str, Override]]:
        return self.space.axes(prefix)

    def resolved(self, change: Callable[[Override], Override]) -> Space:
        return Random(self.wanted, self.space.resolved(change), self.seed)

    @property
    def text(self) -> str:
        return f"{self.name}({self.wanted}, {self.space.text}, seed={self.seed})"

    @property
    def endless(self) -> str:
        """How it reads but for the number of its trials: the first ones do not depend on how many there are."""
        return f"{self.name}({self.space.text}, seed={self.seed})"


class Halton(Random):
    """Points of another space that lie more evenly than chance would have them."""

    name = "halton"

    def __init__(self, wanted: int, space: Space, seed: int) -> None:
        super().__init__(wanted, space, seed)
        self.count = wanted
        self._suggest = evenly(space, seed)

    def at(self, n: int) -> list[Pick]:
        return self.space.decided(self._suggest(n))

    def resolved(self, change: Callable[[Override], Override]) -> Space:
        return Halton(self.wanted, self.space.resolved(change), self.seed)


def placed(u: float, dimension: Dimension) -> Any:
    """What a number from 0 up to 1 decides.

    >>> from callsheet import interval
    >>> placed(0.5, 4), placed(0.5, interval(0, 8)), round(placed(0.5, interval(1, 100, log=True)))
    (2, 4.0, 10)
    """
    if isinstance(dimension, int):
        return min(int(u * dimension), dimension - 1)
    if isinstance(dimension, Range):
        return min(int(u * len(dimension)), len(dimension) - 1)
    start, end = dimension.start, dimension.end
    if dimension.log:
        found = math.exp(math.log(start) + u * (math.log(end) - math.log(start)))
    else:
        found = start + u * (end - start)
    if dimension.whole:
        return min(max(int(found), start), end - 1)
    return min(max(found, start), math.nextafter(end, start))


def at_random(n: int, seed: int) -> Suggest:
    """Decides by chance, which is the same for the same number and seed."""
    from random import Random as Generator

    chance = Generator(f"{seed}/{n}").random  # noqa: S311  (no secret)
    return lambda name, dimension: placed(chance(), dimension)


def shuffled(n: int, count: int, seed: int) -> int:
    """Where number `n` of so many goes when they are shuffled, without a list of them.

    A Feistel network of four rounds permutes the numbers of an even number of bits; what falls beyond `count` is
    permuted again until it does not (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).

    >>> sorted(shuffled(n, 10, seed=0) for n in range(10))
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    from hashlib import shake_128

    half = max((count - 1).bit_length() + 1, 2) // 2
    mask, size = (1 << half) - 1, (half + 7) // 8
    while True:
        left, right = n >> half, n & mask
        for turn in range(4):
            digest = shake_128(b"%d/%d/%d" % (seed, turn, right)).digest(size)
            left, right = right, left ^ (int.from_bytes(digest, "big") & mask)
        n = left << half | right
        if n < count:
            return n


def evenly(space: Space, seed: int) -> Callable[[int], Suggest]:
    """Gives for each number what decides for it: a point of a Halton sequence, a prime base for each dimension.

    The digits are permuted at random, as the sequence needs in more than a few dimensions (Owen, "A randomized Halton
    algorithm in R", 2017).
    """
    bases = dict(zip((name for name, _ in space.dimensions()), _primes(), strict=False))
    permutations: dict[int, list[list[int]]] = {base: _permutations(base, seed) for base in bases.values()}

    def at(n: int) -> Suggest:
        def suggest(name: str, dimension: Dimension) -> Any:
            base = bases[name]
            return placed(_radical_inverse(n, base, permutations[base]), dimension)

        return suggest

    return at


def _primes() -> Iterator[int]:
    found: list[int] = []
    n = 2
    while True:
        if all(n % prime for prime in found):
            found.append(n)
            yield n
        n += 1


def _permutations(base: int, seed: int) -> list[list[int]]:
    """One for each digit that a float can tell."""
    from random import Random as Generator

    chance = Generator(f"{seed}/{base}")  # noqa: S311  (no secret)
    return [chance.sample(range(base), base) for _ in range(math.ceil(54 / math.log2(base)))]


def _radical_inverse(n: int, base: int, permutations: list[list[int]]) -> float:
    """The digits of a number behind the point, the last first, each permuted."""
    found, weight = 0.0, 1.0
    for permutation in permutations:
        weight /= base
        n, digit = divmod(n, base)
        found += permutation[digit] * weight
    return min(found, _BELOW_ONE)


_BELOW_ONE = math.nextafter(1.0, 0.0)
