"""The options of a group by their class, and what their files say of each key."""

from dlexp.config.schema import node


def test_comments_are_those_of_the_file_and_of_what_it_inherits():
    said = node.comments("data", "digits")
    assert said["test_fraction"] == "share of the examples sealed as test part until opened by name, in [0, 1)"
    assert said["val_fraction"].startswith("share of the examples for validation")


def test_options_of_one_class_are_one_schema():
    schemas = node.of_options("optimizer", ["adam", "sgd"])
    assert list(schemas) == ["dlexp.optimizer.adam.Adam", "dlexp.optimizer.sgd.SGD"]
    sgd = schemas["dlexp.optimizer.sgd.SGD"]
    assert list(sgd["properties"]) == ["_target_", "lr", "weight_decay", "biases"]
    assert (sgd["required"], sgd["additionalProperties"]) == (["_target_"], False)


def test_what_has_to_be_given_is_required():
    (csv,) = node.of_options("data", ["csv"]).values()
    assert csv["required"] == ["_target_", "path", "target"]


def test_nodes_of_no_group_and_keys_of_none():
    nodes = node.of_nodes()
    assert nodes["seeds"]["properties"]["init"]["description"] == "initial weights"
    assert node.root_comments()["seed"].startswith("fixes initialisation")
