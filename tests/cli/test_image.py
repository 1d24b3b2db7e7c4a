"""`callsheet image build` runs what makes an experiment's image, in order, until a step fails."""

EXPERIMENT = """
    from callsheet.run import Experiment, Image, Launch

    url = "nets:3"
    image = Image(url, [f"echo built {url} > first", f"echo {url} >> first", "test ! -e fails"])
    main = Experiment(Launch("python train.py"), image=image)
"""


def test_the_steps_are_run_in_the_projects_root(cmd):
    cmd.config(EXPERIMENT)
    steps = "step 1    echo built nets:3 > first\nstep 2    echo nets:3 >> first\nstep 3    test ! -e fails\n"
    assert cmd("image", "build", "conf.py").out == f"{steps}built     nets:3\n"
    assert (cmd.root / "first").read_text() == "built nets:3\nnets:3\n"


def test_a_dry_run_only_prints_them(cmd):
    cmd.config(EXPERIMENT)
    said = cmd("image", "build", "conf.py:main", "url=nets:4", "--dry-run")
    assert (
        said.out == "step 1    echo built nets:4 > first\nstep 2    echo nets:4 >> first\nstep 3    test ! -e fails\n"
    )
    assert not (cmd.root / "first").exists()


def test_the_first_step_that_fails_is_the_last(cmd):
    cmd.config(EXPERIMENT.replace("[f", '["echo no such base image; exit 3", f'))
    said = cmd("image", "build", "conf.py", code=1)
    assert said.out == "step 1    echo no such base image; exit 3\nno such base image\n"
    assert said.err == "callsheet: step 1 of 4 ended with exit code 3: echo no such base image; exit 3\n"
    assert not (cmd.root / "first").exists()


def test_without_steps_the_error_shows_how_they_are_written(cmd):
    cmd.config("from callsheet.run import Experiment, Launch\nmain = Experiment(Launch('ls'))\n")
    assert cmd("image", "build", "conf.py", code=1).err == (
        "callsheet: conf.py has no image with build steps\n"
        '  Image("nets:3", build_steps=["docker build -t nets:3 ."])\n'
        "  it stands in an Experiment as `image`\n"
    )


def test_without_steps_where_others_have_some_the_error_names_these(cmd):
    cmd.config("""
        from callsheet.run import Experiment, Image, Launch

        bare = Experiment(Launch("ls"))
        nets = Experiment(Launch("ls"), image=Image("nets:3", ["touch built"]))
        more = [Experiment(Launch("ls"), image=Image("nets:4", ["touch built"]))]
    """)
    advice = "callsheet image build conf.py:nets\n  callsheet image build conf.py:more[0]\n"
    for named in ("conf.py", "conf.py:bare"):
        said = cmd("image", "build", named, code=1).err
        assert said == f"callsheet: {named} has no image with build steps\n  {advice}"


def test_data_runs_no_steps_unless_it_is_allowed_to(cmd):
    (cmd.root / "conf.yaml").write_text("image:\n  url: nets\n  build_steps: [touch built]\n")
    said = cmd("image", "build", "conf.yaml", code=1)
    assert "--allow callsheet.run" in said.err
    assert not (cmd.root / "built").exists()
    cmd("image", "build", "conf.yaml", "--allow", "callsheet.run")
    assert (cmd.root / "built").exists()
