"""`callsheet check` tells what overrides changed besides what they name (promise 11)."""

CONF = """
    from callsheet import lazy
    from train import net, fit
    epochs = 5
    lr = 0.1
    depth = 2
    model = lazy(net)(depth=depth)
    sched = lazy(dict)(T_max=epochs * 10, lr="${lr}", name="x")
    main = lazy(fit)(model, epochs=epochs)
    steps = []
    for _ in range(epochs):
        steps.append(1)
"""
TRAIN = "def net(depth: int = 1): ...\ndef fit(model, epochs: int = 3): ...\n"


def test_every_other_value_that_changed_is_told(cmd):
    cmd.config(CONF, train=TRAIN)
    assert cmd("check", "conf.py", "epochs=6").out == (
        "conf.py: 3 calls, no faults\n"
        "epochs=6 also changed\n"
        "  sched.T_max  50 → 60  conf.py:7\n"
        "  main.epochs  5 → 6    conf.py:8\n"
        "  steps[5]     + 1      conf.py:9\n"
    )


def test_a_reference_counts_by_what_it_leads_to(cmd):
    cmd.config(CONF, train=TRAIN)
    assert cmd("check", "conf.py", "lr=0.2").out.splitlines()[1:] == [
        "lr=0.2 also changed",
        "  sched.lr  0.1 → 0.2  conf.py:7",
    ]


def test_what_an_override_names_itself_is_not_told_wherever_it_is_held(cmd):
    cmd.config(CONF, train=TRAIN)
    for text in ("sched.name=y", "model.depth=3", "main.0.depth=3", "main.epochs=9", "~sched.name"):
        assert cmd("check", "conf.py", text).out == "conf.py: 3 calls, no faults\n", text
    assert cmd("check", "conf.py", "epochs=5").out == "conf.py: 3 calls, no faults\n"


def test_only_the_part_that_is_checked_counts(cmd):
    cmd.config(CONF, train=TRAIN)
    said = cmd("check", "conf.py:main", "epochs=6", "depth=3").out
    assert said.splitlines()[1:] == ["epochs=6, depth=3 also changed", "  main.epochs  5 → 6  conf.py:8"]


def test_a_lambda_that_stays_as_it_is_is_not_told(cmd):
    cmd.config("from callsheet import lazy\nlr = 0.1\nmain = lazy(lambda lr, f: lr)(lr=2, f=lambda x: x)\n")
    assert cmd("check", "conf.py", "lr=0.2").out == "conf.py: 1 call, no faults\n"


def test_as_data_the_changes_are_told_too(cmd):
    cmd.config(CONF, train=TRAIN)
    (change,) = cmd("check", "conf.py", "depth=3", "--json").data["also_changed"]
    assert (change["path"], change["was"], change["now"]) == ("model.depth", 2, 3)


def test_a_plain_value_that_reached_nothing_is_noted_where_the_file_reads_it(cmd):
    cmd.config("from callsheet import lazy\nwidth = 3\ndef _f():\n    return width\nunused = 4\nx = lazy(dict)()\n")
    said = cmd("check", "conf.py", "width=5")
    assert said.out == "conf.py: 1 call, no faults\n"
    assert said.err == (
        "callsheet: 1 note\n"
        "  width  changed nothing else in the spec, although it is read at conf.py:4\n"
        "         what the spec holds:  callsheet show conf.py\n"
    )
    assert cmd("check", "conf.py", "unused=5").err == ""
    assert cmd("check", "conf.py", "width=3").err == ""


def test_what_a_wildcard_a_variant_or_a_new_key_names_is_not_told_but_what_follows_is(cmd):
    cmd.config(
        """
        from callsheet import lazy
        from train import net
        _small = lazy(net)(depth=9)
        model = dict(a=lazy(net)(depth=1), b=lazy(net)())
        held = [model.a]
        depth = model.a.depth
        """,
        train=TRAIN,
    )

    def changed(*said):
        return cmd("check", "conf.py", *said).out.splitlines()[1:]

    assert changed("model...depth=4") == ["model...depth=4 also changed", "  depth  1 → 4  conf.py:6"]
    assert changed("~held...depth", "model...depth=1") == []
    assert changed("model.a=@small") == ["model.a=@small also changed", "  depth  1 → 9  conf.py:6"]
    assert changed("+model.c.d=1") == []
    assert changed("model.b=@small", f"model.a.depth={'1' * 70}")[0].endswith("111 ... also changed")
