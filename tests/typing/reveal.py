"""What a type checker sees: `lazy(T)(...)` checks like a call of `T` and is a `T`. Read by mypy and pyright, never run."""

from collections.abc import Callable
from typing import Any, assert_type

from callsheet import (
    Config,
    Process,
    Ref,
    Sweep,
    build,
    copy,
    factory,
    get,
    lazy,
    load,
    override,
    partial,
    ref,
    replace,
    sweep,
)


class Net:
    def __init__(self, width: int, *, norm: type | None = None) -> None: ...


def fit(net: Net, epochs: int = 5) -> dict[str, float]:
    return {"epochs": float(epochs)}


net = lazy(Net)(width=64)
assert_type(net, Net)
assert_type(lazy(fit)(net, epochs=3), dict[str, float])
assert_type(build(net), Net)
assert_type(build(lazy(fit)(net)), dict[str, float])
assert_type(copy(net), Net)
assert_type(override(net, ["width=3"]), Net)
assert_type(partial(Net)(width=3), Callable[..., Net])
assert_type(build(partial(Net)(width=3)), Callable[..., Net])
assert_type(lazy("train.Net"), Callable[..., Any])
assert_type(load("conf.py"), Any)
assert_type(get(net, "width"), Any)
assert_type(ref(net), Any)
assert_type(sweep("conf.py", ["width=1,2"]), Sweep)
assert_type(Process(slots=2).slots, int)

lazy(Net)(widht=64)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
lazy(Net)(width="64")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
lazy(fit)(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

reference: Ref = Ref(("a", "b"))


class NetConfig(Config[Net], frozen=True):
    width: int = 3
    norm: type | None = None


class HeadConfig(Config[Net], kw_only=True):
    net: NetConfig

    def build(self) -> Net:
        return self.net.build()


assert_type(NetConfig(width=4).build(), Net)
assert_type(HeadConfig(net=NetConfig()).build(), Net)
assert_type(replace(NetConfig(), {"width": 4}), NetConfig)
assert_type(factory(net), Callable[[], Net])

NetConfig(width="4")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
NetConfig(widht=4)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
NetConfig().width = 4  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
HeadConfig(NetConfig())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
