"""What a type checker sees: `lazy(T)(...)` checks like a call of `T` and is a `T`. Read by mypy and pyright, never run.

Where an error is expected, the comment that silences it becomes an error itself once there is nothing to silence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, assert_type

if TYPE_CHECKING:
    import decimal  # noqa: F401  (named in a text)

from callsheet import (
    Config,
    Process,
    Ref,
    Secret,
    Sweep,
    arguments,
    build,
    check,
    copy,
    equal,
    factory,
    get,
    hash_of,
    lazy,
    load,
    main,
    override,
    partial,
    plain,
    ref,
    replace,
    rewrite,
    sweep,
    target,
    walk,
)

T = TypeVar("T")


class Net:
    def __init__(self, width: int, *, norm: type | None = None, key: str = "") -> None: ...

    @classmethod
    def make(cls, depth: int = 3) -> "Net":
        return cls(depth)

    def parameters(self) -> Iterator[float]:
        yield 0.0


class Wide(Net): ...


class Box(Generic[T]):
    def __init__(self, held: T) -> None:
        self.held = held


@dataclass
class Options:
    lr: float = 0.1
    net: Net | None = None


class NetConfig(Config[Net]):
    width: int = 64
    inner: Options | None = None


def fit(net: Net, epochs: int = 5) -> dict[str, float]:
    return {"epochs": float(epochs)}


# --- describing -------------------------------------------------------------------------------------------------------

net = lazy(Net)(width=64)
assert_type(net, Net)
assert_type(lazy(Net)(64, norm=Net, key=Secret("env:KEY")), Net)
assert_type(lazy(fit)(net, epochs=3), dict[str, float])
assert_type(lazy(fit)(lazy(Wide)(3)), dict[str, float])
assert_type(lazy(Net.make)(depth=2), Net)
assert_type(lazy(Box)(3), Box[int])
assert_type(lazy(Options)(net=lazy(Net)(3)), Options)
assert_type(Options(net=lazy(Net)(3)).net, Net | None)
assert_type(lazy("train.Net"), Callable[..., Any])
assert_type(lazy("train.Net")(64, anything=3), Any)

lazy(Net)(widht=64)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
lazy(Net)()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
lazy(Net)(64, 3)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
lazy(Net)(width="64")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
lazy(fit)(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
lazy(fit)(lazy(Box)(3))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
lazy(Net.make)(width=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
lazy(Options)(lr="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

assert_type(partial(Net)(width=3), Callable[..., Net])
assert_type(partial(fit)(epochs=3), Callable[..., dict[str, float]])
assert_type(partial("train.Net")(3), Any)
made: Callable[[Iterator[float]], Net] = partial(Net)(norm=None)
wrong: Callable[[], Options] = partial(Net)()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

assert_type(ref(net), Any)
assert_type(ref("train.steps") // 10, Any)
lazy(fit)(ref("net"), epochs=ref(net).width)
reference: Ref = Ref(("a", "b"))

# --- a dataclass that builds ------------------------------------------------------------------------------------------

config = NetConfig(width=3, inner=Options())
assert_type(config, NetConfig)
assert_type(config.build(), Net)
assert_type(build(config), Net)
NetConfig(width="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
NetConfig(widht=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class FrozenConfig(Config[Net], frozen=True):
    width: int = 3


class HeadConfig(Config[Net], kw_only=True):
    net: FrozenConfig

    def build(self) -> Net:
        return self.net.build()


class TwinConfig(Config):
    net: FrozenConfig

    def build(self) -> tuple[Net, Net]:
        return self.net.build(), self.net.build()


class UnsaidConfig(Config):
    width: int = 3


class NamedConfig(Config["decimal.Decimal"]):
    value: str = "0"


assert_type(TwinConfig(FrozenConfig()).build(), tuple[Net, Net])
assert_type(UnsaidConfig().build(), Any)
assert_type(NamedConfig().build(), "decimal.Decimal")
assert_type(HeadConfig(net=FrozenConfig()).build(), Net)
assert_type(replace(FrozenConfig(), {"width": 4}), FrozenConfig)
assert_type(factory(net), Callable[[], Net])
FrozenConfig().width = 4  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
HeadConfig(FrozenConfig())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

# --- building, editing, asking ----------------------------------------------------------------------------------------

assert_type(build(net), Net)
assert_type(build(lazy(fit)(net)), dict[str, float])
assert_type(build(partial(Net)(width=3)), Callable[..., Net])
assert_type(build([net]), list[Net])
assert_type(build({"net": net, "options": lazy(Options)()}["net"]), Any)  # type: ignore[assert-type]  # pyright: ignore[reportAssertTypeFailure]
assert_type(copy(net), Net)
assert_type(override(net, ["width=3"]), Net)
assert_type(override(net, "width=3"), Net)
assert_type(load("conf.py", ["epochs=3"]), Any)
assert_type(load("conf.py").model.width, Any)
assert_type(get(net, "width"), Any)
assert_type(get(net, "width", 3), Any)
assert_type(target(net), Any)
assert_type(arguments(net)["width"], Any)
arguments(net)["width"] = 3
assert_type(plain({"a": net}), Any)
assert_type(next(walk(net)), tuple[str, Any])
assert_type(rewrite(net, lambda path, value: value), Any)
assert_type(equal(net, copy(net)), bool)
assert_type(hash_of(net), str)
check(net)
assert_type(sweep("conf.py", ["width=1,2"]), Sweep)
assert_type(Process(slots=2).slots, int)

load(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
override(net, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# --- a function as a program ------------------------------------------------------------------------------------------


@main
def train(net: NetConfig, epochs: int = 1, *, name: str = "") -> dict[str, float]:
    return {}


assert_type(train(config, 3, name="x"), dict[str, float])
assert_type(train.main(), dict[str, float])
assert_type(train.main(["epochs=3"]), dict[str, float])
assert_type(build(lazy(train)(config, epochs=3)), dict[str, float])
train(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
train(config, epoch=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
train.main("epochs=3")
train.main(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
