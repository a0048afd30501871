"""Where a key takes a text, the value is the text as it was typed."""

import pytest

from dlexp.config.resolve import resolve
from dlexp.config.signature import read
from dlexp.config.source.literal import takes_text
from dlexp.config.space import read_space
from dlexp.error import ConfigError

CSV = ["data=csv", "data.path=x.csv", "data.target=y"]


@pytest.mark.parametrize(
    "path",
    ["x,y.csv", "run=1/x.csv", "x(1).csv", "x~/x.csv", "x[1].csv", "my data (1).csv", "2024", "1e3", "range(1,3)"],
)
def test_a_path_is_what_was_typed(path):
    assert resolve(["data=csv", f"data.path={path}", "data.target=y"]).config["data"]["path"] == path


@pytest.mark.parametrize("target", ["цель", "007", "1e3", "true", "a,b", "a:b"])
def test_a_column_is_what_was_typed(target):
    assert resolve(["data=csv", "data.path=x.csv", f"data.target={target}"]).config["data"]["target"] == target


@pytest.mark.parametrize("delimiter", [";", ",", "|", "\t"])
def test_a_delimiter_needs_no_quotes(delimiter):
    assert resolve([*CSV, f"data.delimiter={delimiter}"]).config["data"]["delimiter"] == delimiter


def test_columns_in_a_list_need_no_quotes():
    assert resolve([*CSV, "data.drop=[цель, x(1)]"]).config["data"]["drop"] == ["цель", "x(1)"]


@pytest.mark.parametrize(
    ("typed", "columns"),
    [
        ("[1_0,1.10, 007]", ["1_0", "1.10", "007"]),
        ("['1_0',1.5]", ["1_0", "1.5"]),
        ("[a,1e3]", ["a", "1e3"]),
        ("[]", []),
    ],
)
def test_columns_in_a_list_are_what_was_typed(typed, columns):
    assert resolve([*CSV, f"data.drop={typed}"]).config["data"]["drop"] == columns


def test_null_stays_null_and_quotes_stay_quotes():
    data = resolve([*CSV, "data.id=null", "data.group='null'"]).config["data"]
    assert (data["id"], data["group"]) == (None, "null")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "model.widths=64,32",
            "model.widths: got the sweep expression model.widths=64,32; a list is written 'model.widths=[64,32]'; use "
            "`dlexp sweep model.widths=64,32` to search, or `dlexp cv model.widths=64,32` to cross-validate each",
        ),
        (
            "optimizer.lr=0.1,0.2",
            "optimizer.lr: got the sweep expression optimizer.lr=0.1,0.2; use `dlexp sweep optimizer.lr=0.1,0.2` to "
            "search, or `dlexp cv optimizer.lr=0.1,0.2` to cross-validate each",
        ),
        ("optimizer.lr=interval(1", "optimizer.lr: got interval(1; a number > 0 is needed"),
        ("model.widths=[64", "model.widths: got [64; a list of integers >= 1 is needed"),
        ("augment=[noise,noise]", "augment: got noise twice in a list; each option stands there once"),
    ],
)
def test_what_takes_no_text_is_refused_with_the_form_to_type(override, message):
    with pytest.raises(ConfigError) as caught:
        resolve([override])
    assert str(caught.value) == message


def test_a_list_of_texts_to_search_is_refused_with_the_form_to_type():
    with pytest.raises(ConfigError) as caught:
        read_space([*CSV[:2], "data.target=цель,b"])
    assert str(caught.value) == (
        "data.target: got цель,b; type 'data.target='\"'\"'цель'\"'\"',b' to search, or "
        "'data.target='\"'\"'цель,b'\"'\"'' for one text"
    )


def test_an_option_may_be_called_by_a_number(tmp_path):
    (tmp_path / "optimizer").mkdir()
    for name in ("2024", "007"):
        (tmp_path / "optimizer" / f"{name}.yaml").write_text("defaults: [sgd, _self_]\nlr: 0.5\n")
        composed = resolve([f"optimizer={name}"], tmp_path)
        assert (composed.choices["optimizer"], composed.config["optimizer"]["lr"]) == (name, 0.5)
    space, _ = read_space(["optimizer=2024,sgd"], tmp_path)
    assert space.dimensions[0].values == ["2024", "sgd"]


def test_which_parameters_take_a_text():
    table = read("dlexp.data.table.Table").parameters
    assert takes_text(table["target"])
    assert takes_text(table["id"])
    assert not takes_text(table["drop"])
    assert not takes_text(table["val_fraction"])


def test_names_in_a_users_file_are_what_was_written(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text(
        "defaults: [csv]\npath: x.csv\ntarget: 1_0\ndrop: [1.10, 007x, 1e3]\n", "utf-8"
    )
    data = resolve(["data=mine"], tmp_path).config["data"]
    assert (data["target"], data["drop"]) == ("1_0", ["1.10", "007x", "1e3"])


def test_a_refusal_of_a_users_file_names_file_line_and_cure(tmp_path):
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "mine.yaml"
    path.write_text("defaults: [csv]\npath: x.csv\ntarget: y\ndrop: [1.0, yes]\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        resolve(["data=mine"], tmp_path)
    assert str(caught.value).endswith(f"put into quotes what YAML reads otherwise, such as 'yes' ({path}, line 4)")
    path.write_text("")
    with pytest.raises(ConfigError) as caught:
        resolve(["data=mine"], tmp_path)
    assert str(caught.value).endswith(f"({path} states no _target_)")
