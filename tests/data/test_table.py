import numpy as np
import pytest

from dlexp.data.table import Table
from dlexp.error import ConfigError, DataError
from dlexp.normalize import Standard
from tests.present import present


@pytest.fixture
def path(tmp_path):
    """Write 60 mixed rows: number, text, code, group, time, id, and three possible targets."""
    draw = np.random.default_rng(0)
    lines = ["age,color,zip,person,day,key,sick,price,kind"]
    for i in range(60):
        age, color = draw.integers(20, 80), draw.choice(["red", "blue"])
        day = f"2024-{i % 12 + 1:02d}-{i // 12 + 1:02d}"
        lines.append(f"{age},{color},{i % 3},p{i // 4},{day},k{i},{['no', 'yes'][i % 2]},{i * 1.5},{i % 3}")
    file = tmp_path / "people.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def edit(path, row, old, new):
    lines = path.read_text().splitlines()
    assert old in lines[row - 1]
    lines[row - 1] = lines[row - 1].replace(old, new, 1)
    path.write_text("\n".join(lines))


def test_mixed_columns(path):
    dataset = Table(
        path=str(path), target="sick", drop=["price", "kind", "day", "person"], id="key", categorical=["zip"]
    ).load()
    assert (dataset.name, dataset.task, dataset.class_names) == ("people", "binary", ["no", "yes"])
    assert dataset.feature_names == ["age", "color=blue", "color=red", "zip=0", "zip=1", "zip=2"]
    assert dataset.in_shape == (6,)
    assert present(dataset.ids)[:2] == ["k0", "k1"]
    assert dataset.targets.tolist() == [i % 2 for i in range(60)]
    assert (dataset.inputs[:, 1] + dataset.inputs[:, 2]).tolist() == [1] * 60
    assert dataset.inputs[:, 3:].argmax(1).tolist() == [i % 3 for i in range(60)]
    color = present(dataset.encoding)["features"][1]
    assert (color["name"], color["levels"]) == ("color", ["blue", "red"])


def test_inferred_tasks(path):
    assert Table(path=str(path), target="price", features=["age"]).load().task == "regression"
    assert Table(path=str(path), target="kind", features=["age"]).load().task == "multiclass"
    assert Table(path=str(path), target="kind", features=["age"]).load("regression").task == "regression"


def test_groups_and_times(path):
    dataset = Table(path=str(path), target="sick", features=["age"], group="person").load()
    assert not set((dataset.train // 4).tolist()) & set((dataset.val // 4).tolist())
    late = Table(path=str(path), target="sick", features=["age"], time="day").load()
    month = [i % 12 for i in range(60)]
    assert max(month[i] for i in late.train) <= min(month[i] for i in late.val)
    assert max(month[i] for i in late.val) <= min(month[i] for i in late.test)


def test_missing_numbers_become_the_training_mean(path):
    table = Table(path=str(path), target="sick", features=["age", "color"], missing="impute")
    whole = table.load()
    row = int(whole.val[0])
    edit(path, row + 2, path.read_text().splitlines()[row + 1].split(",")[0] + ",", ",")
    holed = table.load()
    fit = Standard().fit(holed.inputs, holed.train)
    assert fit.scale.equal(Standard().fit(whole.inputs, whole.train).scale)
    assert abs(float(fit.apply(holed.inputs)[row, 0])) < 1e-6


def test_row_and_column_of_a_wrong_entry(path):
    edit(path, 17, path.read_text().splitlines()[16].split(",")[0], "abc")
    with pytest.raises(DataError, match=r"row 17, column age: got 'abc'; a number is needed; .*categorical='\[age\]'"):
        Table(path=str(path), target="sick").load()


def test_missing_target(path):
    edit(path, 5, "yes" if "yes" in path.read_text().splitlines()[4] else "no", "")
    with pytest.raises(DataError, match=r"people.csv, row 5, column sick: got ''; a target is needed in every row"):
        Table(path=str(path), target="sick").load()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"target": "sik"}, DataError, r"no column sik \(data.target\); it has age.*did you mean sick\?"),
        ({"target": "sick", "drop": ["agee"]}, DataError, r"no column agee \(data.drop\)"),
        ({"target": "sick", "features": ["age", "sick"]}, ConfigError, r"data.features: got the target sick"),
        ({"target": "sick", "features": ["age"], "drop": ["age"]}, DataError, "no feature columns left besides sick"),
        (
            {"target": "sick", "id": "kind", "features": ["age"]},
            DataError,
            r"rows 5, 6, .*column kind: got '0'; another row has it",
        ),
        ({"target": "sick", "delimiter": ";;"}, ConfigError, "data.delimiter: got ';;'"),
        ({"target": "kind", "features": ["color"]}, ConfigError, "task: got binary; the data have 3 classes"),
    ],
)
def test_bad_settings(path, settings, error, message):
    with pytest.raises(error, match=message):
        Table(path=str(path), **settings).load("binary")


def test_a_class_with_one_row(path):
    edit(path, 2, "no", "maybe")
    with pytest.raises(DataError, match="class maybe with one example"):
        Table(path=str(path), target="sick", features=["age"]).load()


def test_a_mark_may_be_a_gap(path):
    edit(path, 17, path.read_text().splitlines()[16].split(",")[0], "-")
    with pytest.raises(DataError, match=r"row 17, column age: got '-'; a number is needed; list it in data.gaps if it"):
        Table(path=str(path), target="sick").load()
    assert Table(path=str(path), target="sick", features=["age"], gaps=["-"], missing="impute").load().in_shape == (1,)


def test_leaks_are_named(tmp_path):
    draw = np.random.default_rng(0)
    sick = draw.integers(0, 2, 200)
    lines = [
        f"{i},{y * 5 + draw.random()},{'qp'[y]}{draw.integers(0, 2)},{draw.random()},{y}" for i, y in enumerate(sick)
    ]
    (tmp_path / "t.csv").write_text("\n".join(["row,size,mark,x,y", *lines]))
    assert Table(path=str(tmp_path / "t.csv"), target="y").load().notes == [
        "column row counts the rows: a leak? data.drop='[row]' leaves it out",
        "column size tells the class alone, by one threshold: a leak? data.drop='[size]' leaves it out",
        "column mark tells the class alone: a leak? data.drop='[mark]' leaves it out",
    ]


def test_times_that_cannot_be_parsed(path):
    edit(path, 17, path.read_text().splitlines()[16].split(",")[4], "31/12/2021")
    table = Table(path=str(path), target="sick", features=["age"], time="day")
    with pytest.raises(DataError, match=r"row 17, column day: got '31/12/2021'; a number or an ISO date .*time_format"):
        table.load()


def test_the_same_table_as_csv_and_parquet(tmp_path):
    import pyarrow
    import pyarrow.parquet

    days = np.array([f"2021-0{1 + i % 3}-01" for i in range(60)], "M8[D]")
    columns = {
        "flag": [i % 2 == 0 for i in range(60)],
        "day": days,
        "stamp": days.astype("M8[us]"),
        "code": np.array([1.0, 2.0, np.nan])[np.arange(60) % 3],
        "n": np.arange(60) ** 2,
        "y": ["no", "yes"] * 30,
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    rows = zip(*(pyarrow.array(values).to_pylist() for values in columns.values()), strict=True)
    lines = [",".join("" if cell != cell else str(cell) for cell in row) for row in rows]
    (tmp_path / "t.csv").write_text("\n".join([",".join(columns), *lines]))
    settings = {"target": "y", "categorical": ["code"], "missing": "impute"}
    first, second = (Table(path=str(tmp_path / f"t.{kind}"), **settings).load() for kind in ("csv", "parquet"))
    assert first.feature_names == second.feature_names
    assert first.feature_names is not None
    assert first.feature_names[:5] == ["flag=False", "flag=True", "day=2021-01-01", "day=2021-02-01", "day=2021-03-01"]
    assert first.inputs.equal(second.inputs)
    assert first.targets.equal(second.targets)


def test_a_table_beyond_its_memory_is_mapped_and_the_same(path, tmp_path):
    settings = {"path": str(path), "target": "sick", "features": ["age", "color"], "id": "key", "group": "person"}
    held = Table(**settings).load()
    mapped = Table(**settings, memory="0.001MB", cache=str(tmp_path / "cache")).load()
    assert mapped.fingerprint == held.fingerprint
    assert mapped.inputs.equal(held.inputs)
    assert (mapped.ids, mapped.encoding) == (held.ids, held.encoding)
    for part in ("train", "val", "test", "groups"):
        assert getattr(mapped, part).equal(getattr(held, part))
    assert "more than data.memory" in mapped.notes[0]
    rows = held.train[:20]
    assert mapped.with_parts(rows, held.val).inputs.equal(held.with_parts(rows, held.val).inputs)


@pytest.mark.parametrize("memory", ["", "4", "GiB", "4 PB", "-1GB", "1e3MB"])
def test_sizes_that_are_none(path, memory):
    with pytest.raises(ConfigError, match=r"data.memory: got .*; a number and one of MB"):
        Table(path=str(path), target="sick", memory=memory).load()


def test_a_column_of_names_is_warned_of(tmp_path):
    lines = [f"{(i * 37) % 101},{i % 7},{'ab'[i % 2]}" for i in range(60)]
    (tmp_path / "t.csv").write_text("number,x,y\n" + "\n".join(lines))
    (note,) = Table(path=str(tmp_path / "t.csv"), target="y").load().notes
    assert note.startswith("column number has another whole number in every row: a name? data.id=number")
