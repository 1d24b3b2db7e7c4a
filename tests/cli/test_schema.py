"""`callsheet schema` prints what an editor needs."""

import jsonschema


def test_the_schema_of_a_config_tells_a_typo_in_data(cmd):
    cmd.listing()
    found = cmd("schema", "conf.py").data
    cmd("convert", "conf.py", "conf.json")
    data = cmd("show", "conf.py", "--json").data
    validator = jsonschema.Draft202012Validator(found)
    assert list(validator.iter_errors(data)) == []
    data["model"]["widht"] = 3
    (error,) = validator.iter_errors(data)
    assert (error.json_path, error.message) == (
        "$.model",
        "Additional properties are not allowed ('widht' was unexpected)",
    )


def test_a_part_has_a_schema_of_its_own(cmd):
    cmd.listing()
    found = cmd("schema", "conf.py:optim", "optim.lr=0.5").data
    assert found["then"]["properties"]["lr"]["default"] == 0.5
    assert "did you mean  optim?" in cmd("schema", "conf.py:optimm", code=1).err
