"""The lists of a spec."""

from __future__ import annotations

from .._equal import equal
from .._items import DEFERRED, LISTS
from .._layout import layout
from .._read import read
from ._attach import attach, given
from ._kinds import LIST, copied, register
from ._parts import ListParts, here, new_list, note_places, portable, settle_class, with_origins
from ._put import set_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class List(ListParts):
    """A list of a spec: a list in every way, whose items are kept as a spec keeps them."""

    __slots__ = ()

    def __init__(self, items: Any = ()) -> None:
        list.__init__(self, map(attach, items))
        self.__origins__ = None
        self.__site__ = here()
        settle_class(self)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(key, slice):
            list.__getitem__(self, key)  # which refuses a position that there is not
            set_item(self, range(len(self))[key], value, here())
            return
        kept, places = [attach(v) for v in value], [*range(len(self))]
        list.__setitem__(self, key, kept)
        places[key] = [-1] * len(kept)
        note_places(self, places)

    def __delitem__(self, key: Any) -> None:
        places = [*range(len(self))]
        del places[key]
        list.__delitem__(self, key)
        note_places(self, places)

    def append(self, value: Any) -> None:
        list.append(self, attach(value))
        if type(list.__getitem__(self, -1)) in DEFERRED:
            settle_class(self)

    def insert(self, index: Any, value: Any) -> None:
        self[index:index] = [value]

    def extend(self, values: Any) -> None:
        self[len(self) :] = values

    def pop(self, index: Any = -1) -> Any:
        value = self[index]
        del self[index]
        return value

    def remove(self, value: Any) -> None:
        del self[self.index(value)]

    def clear(self) -> None:
        del self[:]

    def reverse(self) -> None:
        list.reverse(self)
        note_places(self, [*range(len(self))][::-1])

    def sort(self, *, key: Any = None, reverse: bool = False) -> None:
        values, kept = list(self), list(list.__iter__(self))
        keys = values if key is None else [*map(key, values)]
        places = sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)
        list.__setitem__(self, slice(None), [kept[n] for n in places])
        note_places(self, places)

    def copy(self) -> Any:
        return self.__copy__()

    def __iadd__(self, values: Any) -> Any:
        self.extend(values)
        return self

    def __imul__(self, times: Any) -> Any:  # type: ignore[misc]
        kept = list(list.__iter__(self))
        self[len(kept) * (times > 0) :] = kept * (times - 1)
        return self

    def __add__(self, other: Any) -> Any:
        return list(self) + list(other) if isinstance(other, list) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return list(other) + list(self) if isinstance(other, list) else NotImplemented

    def __eq__(self, other: object) -> bool:
        return equal(self, given(other))

    def __ne__(self, other: object) -> bool:
        return not equal(self, given(other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return layout(self)

    def __copy__(self) -> Any:
        return with_origins(new_list(list(list.__iter__(self)), self.__site__), self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copied(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return new_list, ([],), [portable(value) for value in list.__iter__(self)]

    def __setstate__(self, state: list[Any]) -> None:
        list.extend(self, state)
        settle_class(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()


class _LiveList(List):
    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        value = list.__getitem__(self, key)
        return [read(v) for v in value] if isinstance(key, slice) else read(value)

    def __iter__(self) -> Iterator[Any]:
        return map(read, list.__iter__(self))

    def __reversed__(self) -> Iterator[Any]:
        return map(read, list.__reversed__(self))

    def __contains__(self, value: object) -> bool:
        return value in list(self)

    def __mul__(self, times: Any) -> Any:
        return list(self) * times

    __rmul__ = __mul__

    def index(self, value: Any, *span: Any) -> int:
        return list(self).index(value, *span)

    def count(self, value: Any) -> int:
        return list(self).count(value)


register(List, _LiveList, LIST, LISTS)
