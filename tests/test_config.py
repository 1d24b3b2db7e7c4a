"""A `Config` is a dataclass that builds what it describes, whoever asks for it, each node once."""

from __future__ import annotations

import copy as copying
import dataclasses
import functools
import inspect
import pickle
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from callsheet import (
    MISSING,
    Config,
    Secret,
    build,
    check,
    copy,
    edit,
    equal,
    factory,
    from_data,
    hash_of,
    lazy,
    origin,
    override,
    ref,
    to_data,
)
from callsheet._fields import field_names
from callsheet._target import Name
from callsheet.errors import ArgumentError, OverrideError, SpecError
from saying import told

T = TypeVar("T")
U = TypeVar("U")


class Net:
    made = 0

    def __init__(self, width: int = 1, inner: Any = None, rows: Any = ()) -> None:
        Net.made += 1
        self.width, self.inner, self.rows = width, inner, rows


class Head:
    def __init__(self, net: Any, classes: int) -> None:
        self.net, self.classes = net, classes


class NetConfig(Config[Net]):
    width: int = 32
    inner: Any = None
    rows: list = [1, 2]


class HeadConfig(Config[Head]):
    net: NetConfig
    classes: int = 10


class ByHand(Config):
    """As one is written without a `T`."""

    net: Any
    other: Any = None

    def build(self) -> Head:
        return Head(self.net.build(), build(self.other))


@pytest.fixture(autouse=True)
def _count_from_nothing():
    Net.made = 0


# --- what the class is


def test_a_subclass_is_a_dataclass_whose_dict_holds_its_fields_and_nothing_else():
    config = HeadConfig(NetConfig(width=3))
    assert dataclasses.is_dataclass(config)
    assert config.__dict__ == {"net": NetConfig(3), "classes": 10}
    assert repr(config) == "HeadConfig(net=NetConfig(width=3, inner=None, rows=[1, 2]), classes=10)"
    assert config == HeadConfig(NetConfig(3), 10) != HeadConfig(NetConfig(4), 10)


def test_the_options_of_dataclass_are_class_keywords():
    class Options(Config[Net], frozen=True, kw_only=True, order=True):
        width: int = 1

    with pytest.raises(dataclasses.FrozenInstanceError):
        Options().width = 2
    with pytest.raises(TypeError):
        Options(3)
    assert Options(width=1) < Options(width=2)
    assert Options(width=4).build().width == 4


def test_its_fields_are_checked_and_converted_as_those_of_any_callable():
    assert told(lambda: lazy(NetConfig)(widht=3), ArgumentError).startswith(
        "widht  no such argument of test_config.NetConfig"
    )
    assert override({"c": NetConfig()}, "c.width=64")["c"] == NetConfig(width=64)
    assert told(lambda: override({"c": NetConfig()}, "c.width=64x"), OverrideError).startswith(
        "c.width  must be int, found '64x'"
    )
    assert str(inspect.signature(HeadConfig)) == "(net: 'NetConfig', classes: 'int' = 10)"


def test_slots_leave_no_dict():
    class Slotted(Config[Net], slots=True):
        width: int = 5

        def build(self):
            return super().build(), __class__

    assert not hasattr(Slotted(), "__dict__")
    made, cls = build([Slotted(4)])[0]
    assert (made.width, cls) == (4, Slotted)


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"kw_only": True}, {"order": True}, {"slots": True}])
def test_dataclass_on_top_is_harmless_and_its_options_count(options):
    @dataclass(**options)
    class Decorated(Config[Net]):
        width: int
        rows: list = field(default_factory=lambda: [7], repr=False)
        inner: Any = field(default=3, init=False)
        NAMES: ClassVar[list] = ["a"]

    config = Decorated(width=2)
    assert repr(config).endswith("Decorated(width=2, inner=3)")
    assert config.rows is not Decorated(width=2).rows
    assert vars(config.build()) == {"width": 2, "inner": 3, "rows": [7]}
    assert Decorated.NAMES == ["a"]
    if options.get("frozen"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            config.width = 3
    assert dataclasses.fields(Decorated)[1].default_factory is not dataclasses.MISSING


def test_a_default_that_can_be_changed_is_copied_for_each():
    class Owner(Config[Net]):
        rows: list = [1]
        inner: Any = NetConfig(width=9)
        width: Any = lazy(int)("4")

    first, second = Owner(), Owner()
    first.rows.append(2)
    first.inner.width = 1
    assert (second.rows, second.inner.width) == ([1], 9)
    assert first.build().inner.width == 1


def test_a_child_overrides_defaults_adds_fields_and_changes_what_is_built():
    class Wide(NetConfig):
        width: int = 512

    class Other(Wide, Config[dict]):
        extra: str = "x"

    made = Wide().build()
    assert (type(made), made.width) == (Net, 512)
    assert Other(inner=1).build() == {"width": 512, "inner": 1, "rows": [1, 2], "extra": "x"}


def test_a_child_of_a_frozen_config_is_frozen():
    class Base(Config[Net], frozen=True):
        width: int = 1

    class Child(Base):
        inner: Any = 2

    with pytest.raises(dataclasses.FrozenInstanceError):
        Child().width = 2
    assert Child().build().inner == 2


def test_a_type_variable_is_named_by_the_child():
    class Wrapping(Config[T]):
        width: int = 3

    class Two(Config[T], Generic[U, T]):
        width: int = 4

    class One(Wrapping[Net]):
        pass

    class Second(Two[int, Net]):
        pass

    assert (One().build().width, Second().build().width) == (3, 4)
    assert told(lambda: Wrapping().build(), SpecError).split("\n")[0].endswith("Wrapping does not say what it builds")
    assert "is no class of its own" in told(lambda: Wrapping[Net](width=1), SpecError)


def test_no_field_may_be_called_build():
    def make():
        class Bad(Config[Net]):
            build: int = 3

    def without_default():
        class Bad(Config[Net]):
            build: int

    for action in (make, without_default):
        first, advice = told(action, SpecError).split("\n")
        assert first.endswith(".Bad has a field called build, which is the method that builds it")
        assert advice == "  give the field another name, and pass it on in a  build(self)  of your own"


# --- what it calls


@pytest.mark.parametrize(
    "target", ["collections:OrderedDict", "collections.OrderedDict", Name("collections", "OrderedDict")]
)
def test_a_name_is_imported_only_when_it_is_built(target):
    class Named(Config[target]):
        a: int = 1

    assert type(Named().build()).__name__ == "OrderedDict"


def test_a_module_that_is_only_named_is_not_imported_by_the_class():
    program = """if True:
        import sys
        from callsheet import Config
        class Named(Config["colorsys:rgb_to_hsv"]):
            r: float; g: float; b: float
        config = Named(0, 0, 1)
        assert "colorsys" not in sys.modules
        assert config.build() == (2 / 3, 1, 1)
    """
    subprocess.run([sys.executable, "-c", program], check=True)


def test_any_callable_is_what_a_config_can_call():
    def area(width, height):
        return width * height

    class Area(Config[area]):
        width: Any
        height: int = 3

    assert Area(lazy(int)("5")).build() == 15


def test_what_names_nothing_is_refused_when_the_class_is_made():
    assert told(lambda: Config[3], SpecError) == "\n".join(
        ["Config[3] names nothing that can be called", '  write  Config["package.module:T"]']
    )


def test_fields_that_the_target_does_not_take_and_those_that_it_lacks_are_faults_of_build_and_check():
    class Wrong(Config[Head]):
        classes: Any = MISSING
        clases: int = 1

    spec = {"head": Wrong()}
    assert told(lambda: build(spec), SpecError) == "\n".join(
        [
            "head.classes  must be given",
            "head.clases   no such argument of test_config.Head",
            "              did you mean  head.classes = MISSING?",
            "head.net      is required by test_config.Head",
            "              Head(net: Any, classes: int)",
        ]
    )
    assert told(lambda: check(spec), SpecError) == told(lambda: build(spec), SpecError)


def test_check_compares_fields_with_the_annotations_of_the_target():
    assert told(lambda: check([HeadConfig(NetConfig(), classes="ten")]), SpecError).split("\n")[0] == (
        "[0].classes  must be int, found 'ten'"
    )


class Wide(Net):
    def __init__(self, depth: int = 3, **rest: Any) -> None:
        super().__init__(**rest)


class WideConfig(NetConfig, Config[Wide]):
    depth: int = 3


@pytest.mark.parametrize("make", [WideConfig, lazy(WideConfig)])
@pytest.mark.parametrize(
    ("declared", "shape"),
    [
        (Config, lambda x: x),
        (NetConfig, lambda x: x),
        (NetConfig | None, lambda x: x),
        (list[NetConfig], lambda x: [x]),
        (dict[str, Config], lambda x: {"a": x}),
    ],
)
def test_a_config_stands_where_one_that_it_inherits_from_is_declared(make, declared, shape):
    holder = dataclasses.make_dataclass("Holder", [("net", declared)])
    check(holder(shape(make())))
    with pytest.raises(SpecError, match="must be"):
        check(holder(shape(lazy(Head)(net=1, classes=2))))


# --- building


def test_build_of_a_config_is_build_of_the_function():
    made = HeadConfig(NetConfig(width=lazy(int)("3"))).build()
    assert (type(made), made.net.width, made.classes) == (Head, 3, 10)
    assert type(build(HeadConfig(NetConfig())).net) is Net


def test_a_config_held_twice_is_built_once():
    shared = NetConfig()
    first, second, third = build([HeadConfig(shared), lazy(Head)(shared, 1), (shared,)])
    assert first.net is second.net is third[0]
    assert Net.made == 1


def test_a_handwritten_build_joins_the_build_that_runs():
    shared = NetConfig()
    first, second, third, fourth = build(
        [shared, ByHand(shared), ByHand(shared, [shared]), {"n": lazy(Head)(shared, 1)}]
    )
    assert first is second.net is third.net is third.classes[0] is fourth["n"].net
    assert Net.made == 1


def test_one_with_a_build_of_its_own_is_built_once_as_well():
    inner = ByHand(NetConfig())
    made = ByHand(inner, inner).build()
    assert made.net is made.classes
    assert Net.made == 1


def test_a_class_default_is_built_for_each_owner_also_beside_a_handwritten_build():
    @dataclass(frozen=True)
    class Part:
        net: Any = None

    @dataclass
    class Owner:
        part: Any = Part()

    first, second, alone, _ = build([Owner(), Owner(), Owner.part, ByHand(NetConfig())])
    assert len({id(first.part), id(second.part), id(alone)}) == 3


def test_the_order_in_which_they_stand_does_not_matter():
    shared = lazy(Net)()
    first, second, third = build([ByHand(NetConfig(), shared), lazy(Head)(shared, 1), ByHand(NetConfig(), [shared])])
    assert first.classes is second.net is third.classes[0]


def test_called_by_itself_it_is_one_build_as_well():
    shared = lazy(Net)()
    made = ByHand(ByHand(NetConfig(inner=shared), shared), shared).build()
    assert made.net.net.inner is made.net.classes is made.classes


def test_two_builds_make_two_objects():
    config = ByHand(NetConfig())
    assert config.build().net is not config.build().net


def test_what_is_no_part_of_the_spec_is_built_anew_each_time():
    elsewhere = lazy(Net)()

    class Blocks(Config):
        count: int = 3

        def build(self):
            return [build(elsewhere) for _ in range(self.count)]

    blocks = Blocks().build()
    assert len({id(block) for block in blocks}) == 3


def test_a_spec_that_a_handwritten_build_makes_shares_what_it_holds_of_its_own():
    class Twice(Config):
        net: Any

        def build(self):
            return build(lazy(Head)(self.net, 1)), build([lazy(Head)(self.net, 2)])[0]

    one, two = Twice(NetConfig()).build()
    assert one is not two
    assert one.net is two.net


def test_a_handwritten_build_sees_raw_fields():
    class Raw(Config):
        width: Any
        net: Any = None

        def build(self):
            return type(self.width).__name__, build(self.width), type(self.net).__name__

    spec = lazy(dict)(seed=3, a=Raw("${seed}", lazy(Net)()))
    assert build(spec)["a"] == ("Ref", 3, "Call")
    assert Net.made == 0


def test_a_secret_is_read_where_it_is_built(monkeypatch):
    monkeypatch.setenv("CALLSHEET_TEST_KEY", "hush")
    secret = Secret("env:CALLSHEET_TEST_KEY")
    head, plain, again = build([ByHand(NetConfig(), secret), NetConfig(inner=secret), factory(NetConfig(inner=secret))])
    assert (head.classes, plain.inner, again().inner) == ("hush", "hush", "hush")


def test_references_to_what_is_built_by_hand_lead_to_that_object():
    config = ByHand(NetConfig())
    made, head, net = build([config, lazy(Head)(ref(config), 1), ref(config).net])
    assert head.net is made
    assert net is made.net


def test_super_build_is_that_of_the_parent():
    class Base(Config[Net]):
        width: int = 2

    class Child(Base):
        def build(self):
            made = super().build()
            made.width += 1
            return made

    class GrandChild(Child):
        def build(self):
            return [super().build()]

    assert Child().build().width == 3
    assert [net.width for net in build({"c": GrandChild(5)})["c"]] == [6]


def test_a_build_with_arguments_of_its_own_is_called_as_it_is_written():
    class On(Config):
        def build(self, device="cpu"):
            return device

    assert (On().build(), On().build("cuda"), build([On()])) == ("cpu", "cuda", ["cpu"])


def test_what_a_handwritten_build_raises_says_where():
    class Failing(Config):
        size: int = 0

        def build(self):
            return 1 // self.size

    with pytest.raises(ZeroDivisionError) as caught:
        build({"a": [ByHand(Failing())]})
    assert caught.value.__notes__ == ["while building a[0].net\n    " + repr(Failing())]


def test_configs_that_need_each_other_are_told_before_anything_is_built():
    first = ByHand(NetConfig())
    first.other = ref(first)
    assert "needs" in told(lambda: build([first]), SpecError)


def test_two_hundred_levels_of_handwritten_builds():
    config: Any = NetConfig(width=0)
    for _ in range(200):
        config = ByHand(config)
    made = config.build()
    for _ in range(200):
        made = made.net
    assert made.width == 0


def test_a_field_that_its_post_init_cannot_bear_says_what_to_write():
    class Strict(Config[Net]):
        width: Any

        def __post_init__(self):
            assert self.width["x"] < 3

    with pytest.raises(KeyError) as caught:
        Strict(lazy(int)("3"))
    assert caught.value.__notes__ == [
        "Strict was given what must be built first: write  ref(lazy(Strict)(…)).build()  in its place"
    ]
    assert build(ref(lazy(Strict)(lazy(dict)(x=1))).build()).width == {"x": 1}


def test_a_config_that_cannot_say_what_it_builds_is_named_with_who_put_it_there():
    class Vague(Config):
        width: int = 1

    problem, origin, _ = told(lambda: check({"a": lazy(Net)(inner=Vague())}), SpecError).split("\n")
    assert problem.startswith("a.inner  ")
    assert problem.endswith("Vague does not say what it builds")
    assert origin.strip() == "set by here"


# --- the other verbs


def test_what_is_saved_loads_back_equal_and_builds_the_same():
    shared = NetConfig(rows=[{"a": 1}])
    spec = lazy(dict)(a=HeadConfig(shared), b=ByHand(shared, lazy(Net)(2)))
    read = from_data(to_data(spec), allow=[__name__, "builtins"])
    assert equal(read, spec)
    assert hash_of(read) == hash_of(spec)
    made = build(read)
    assert made["a"].net.rows == [{"a": 1}]
    assert made["b"].classes.width == 2
    assert made["a"].net is made["b"].net


class Calling(Config):
    """One whose `build` calls what its field holds."""

    norm: Any

    def build(self) -> Any:
        return self.norm()


def test_a_partial_in_a_field_can_be_called_by_a_handwritten_build_also_when_it_was_read():
    config = Calling(functools.partial(Net, 5, rows=functools.partial(Net, inner=Head)))
    made = build(from_data(to_data([config, config.norm]), allow=[__name__]))
    assert (made[0].width, made[0].rows().inner) == (5, Head)
    refused = told(lambda: build(from_data(to_data([config]), allow=[f"{__name__}:Calling", f"{__name__}:Head"])))
    assert "test_config:Net is named by data, which imports nothing by itself" in refused


class Asking(Calling):
    def build(self) -> Any:
        return build(self.norm)


def test_a_partial_in_a_field_that_holds_a_call_stays_a_node_which_is_built_once():
    shared = functools.partial(Net, lazy(int)("7"))
    spec = to_data([Asking(shared), Asking(shared)])
    first, second = build(from_data(spec, allow=[__name__, "builtins"]))
    assert first is second
    assert first().width == 7


@pytest.mark.parametrize("clone", [copy, copying.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_clones_are_equal_and_free(clone):
    config = HeadConfig(NetConfig(inner=lazy(Net)(inner=[1])))
    made = clone(config)
    assert equal(made, config)
    edit(made, ["net.inner.inner=[2]", "net.rows=[3]"])
    assert (config.net.inner.inner, config.net.rows) == ([1], [1, 2])
    assert made.build().net.inner.inner == [2]


def test_a_deep_copy_keeps_one_what_a_config_shares_with_what_is_around_it():
    call = lazy(Net)()
    config = NetConfig(inner=call)
    for spec in ({"call": call, "config": config}, {"config": config, "call": call}):
        made = copying.deepcopy({**spec, "again": config, "list": [call]})
        assert made["config"] is made["again"] is not config
        assert made["config"].inner is made["call"] is made["list"][0] is not call


def test_pythons_replace_and_its_constructor_clone_as_for_any_dataclass():
    config = HeadConfig(NetConfig())
    made = dataclasses.replace(config, classes=8)
    again = HeadConfig(**config.__dict__)
    again.classes = 8
    assert made == again != config
    assert made.net is config.net


def test_what_stands_in_a_field_stays_the_object_that_it_is():
    @dataclass
    class Ordinary:
        text: str

    ordinary, rows = Ordinary("${width}"), [1, {"a": 2}]
    config = NetConfig(inner=ordinary, rows=rows)
    assert (config.inner is ordinary, config.rows is rows, ordinary.text) == (True, True, "${width}")


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"slots": True}])
def test_an_overridden_field_knows_who_set_it_until_python_sets_it_anew(options):
    class Sized(Config[Net], **options):
        width: Any = 1
        rows: Any = (1,)

    spec = {"a": [Sized()]}
    changed = override(override(spec, "a[0].width=2"), ["a[0].width=3", "a[0].rows=[4]"])
    for made in (changed, copy(changed), {"a": [copying.copy(changed["a"][0])]}):
        assert origin(made, "a[0].width").text == "a[0].width=3"
        assert [(value, by.text) for value, by in origin(made, "a[0].width").chain()] == [(2, "a[0].width=2"), (1, "")]
        assert origin(made, "a[0].rows").text == "a[0].rows=[4]"
    assert origin(spec, "a[0].width").text == ""
    assert field_names(changed["a"][0]) == ["width", "rows"]
    object.__setattr__(changed["a"][0], "width", 5)
    assert origin(changed, "a[0].width").text == ""


def test_an_edit_that_is_undone_leaves_who_set_a_field():
    spec = {"a": NetConfig()}
    edit(spec, "a.width=2")
    with pytest.raises(OverrideError):
        edit(spec, ["a.width=3", "a.widht=4"])
    assert spec["a"].width == 2
    assert origin(spec, "a.width").text == "a.width=2"
    assert vars(spec["a"]) == {"width": 2, "inner": None, "rows": [1, 2]}


def test_an_overridden_config_is_pickled_and_compared_as_any():
    changed = override({"a": HeadConfig(NetConfig())}, "a.net.width=7")
    again = pickle.loads(pickle.dumps(changed["a"]))
    assert again == changed["a"] == HeadConfig(NetConfig(width=7))
    assert hash_of(again) == hash_of(HeadConfig(NetConfig(width=7)))


def test_references_in_texts_follow_overrides():
    spec = lazy(dict)(width=3, head=HeadConfig(NetConfig(width="${width}"), classes="${head.net.width}"))
    made = build(override(spec, "width=5"))["head"]
    assert (made.net.width, made.classes) == (5, 5)
    assert HeadConfig(NetConfig(), classes="${net.width}").build().classes == 32
    assert NetConfig(rows=[{"a": ("${width}", r"\${width}")}]).build().rows == [{"a": (32, "${width}")}]
