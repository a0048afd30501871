"""What `dlexp options` knows, against the YAML files themselves."""

import pytest
import yaml

from dlexp.config.catalog import conf_folder
from dlexp.config.options import describe_options
from dlexp.error import ConfigError


@pytest.fixture(scope="module")
def everything():
    return describe_options()


def test_every_yaml_file_is_an_option_with_documentation_for_every_parameter(everything):
    files = {(path.parent.name, path.stem) for path in conf_folder().glob("*/*.yaml") if path.stem[0] != "_"}
    assert {(group, option) for group, options in everything.items() for option in options} == files
    for group, options in everything.items():
        for option, about in options.items():
            assert about["doc"], f"{group}={option}"
            for name, parameter in about["parameters"].items():
                assert parameter.keys() == {"default", "type", "doc"}
                assert parameter["doc"], f"{group}.{name} of {option}"
                assert parameter["type"], f"{group}.{name} of {option}"


def test_defaults_are_those_of_the_yaml_and_the_default_option_comes_first(everything):
    momentum = yaml.safe_load((conf_folder() / "optimizer" / "momentum.yaml").read_text())
    shown = {name: about["default"] for name, about in everything["optimizer"]["momentum"]["parameters"].items()}
    assert shown == {name: value for name, value in momentum.items() if name != "_target_"}
    assert next(iter(everything["optimizer"])) == "sgd"
    assert next(iter(everything["model"])) == "mlp"


def test_sources_name_the_paper(everything):
    assert "Kingma" in everything["optimizer"]["adam"]["source"]
    assert "He" in everything["model"]["resnet"]["source"]


def test_one_group_one_option():
    assert list(describe_options("optimizer")) == ["optimizer"]
    assert {group: list(options) for group, options in describe_options("optimizer", "adam").items()} == {
        "optimizer": ["adam"]
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("optimiser",), r"group: got optimiser; choose one of .*; did you mean optimizer\?"),
        (("optimizer", "adm"), r"optimizer: got adm; choose one of .*; did you mean adam"),
    ],
)
def test_unknown_names_are_met_with_a_suggestion(arguments, message):
    with pytest.raises(ConfigError, match=message):
        describe_options(*arguments)


def test_a_users_own_option_is_listed(tmp_path, monkeypatch):
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "mine.yaml").write_text("_target_: my_nets_of_test.Net\nsize: 3\n")
    (tmp_path / "my_nets_of_test.py").write_text(
        'class Net:\n    """My net.\n\n    Args:\n        size: How big.\n    """\n\n'
        "    def __init__(self, size: int = 3): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    about = describe_options("model", "mine", tmp_path / "conf")["model"]["mine"]
    assert about["doc"] == "My net."
    assert about["parameters"] == {"size": {"default": 3, "type": "an integer", "doc": "How big."}}


def test_metrics_are_listed_with_formula_and_the_setting_that_changes_them(everything):
    metrics = describe_options("metric")["metric"]
    assert "metric" not in everything  # nothing is chosen there
    assert {"roc_auc", "matthews_correlation", "average_precision", "balanced_accuracy", "huber"} <= metrics.keys()
    assert all(about["doc"] for about in metrics.values())
    assert metrics["fbeta_macro"]["doc"].startswith("mean_k (1 + beta^2) h_k / (beta^2 t_k + p_k); beta is metric.beta")
    beta = {"default": 2.0, "type": "a number > 0", "doc": "Weight of recall in F-beta, > 0."}
    assert {name: about["parameters"] for name, about in metrics.items() if about["parameters"]} == {
        "fbeta_macro": {"beta": beta}
    }
    assert list(describe_options("metric", "r2")["metric"]) == ["r2"]
    with pytest.raises(ConfigError, match=r"metric: got roc_auk; choose one of .*; did you mean roc_auc\?"):
        describe_options("metric", "roc_auk")
