import json

import pyarrow.parquet

from dlexp.data.table import Table


def notes(tmp_path, column):
    path = tmp_path / "t.csv"
    rows = "".join(f"{column(i)},{i * 37 % 41 / 8},{'ny'[i % 2]}\n" for i in range(60))
    path.write_text(f"c,x,y\n{rows}")
    return Table(path=str(path), target="y", cache=None).load().notes


def test_leading_zeros_of_a_feature_are_not_lost_in_silence(tmp_path):
    heard = notes(tmp_path, lambda i: f"0{i * 7 % 5}")
    assert (
        "column c is taken as numbers, without the zeros that entries such as 00 begin with: data.categorical='[c]' "
        "takes it as text"
    ) in heard
    assert not any("zeros" in note for note in notes(tmp_path, lambda i: f"0.{i * 7 % 5}"))


def test_columns_that_a_parquet_file_has_otherwise_than_as_numbers(tmp_path):
    path = tmp_path / "t.parquet"
    columns = {
        "text": pyarrow.array([["01", "1", "2"][i * 7 // 3 % 3] for i in range(60)]),
        "span": pyarrow.array([i * 7 % 13 for i in range(60)], pyarrow.duration("s")),
        "whole": [i * 7 % 5 for i in range(60)],
        "word": [["a", "b"][i * 7 // 3 % 2] for i in range(60)],
        "y": ["ny"[i % 2] for i in range(60)],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    heard = [note for note in Table(path=str(path), target="y", cache=None).load().notes if "in the file" in note]
    assert heard == [
        "column text is text in the file, and taken as numbers: data.categorical='[text]' takes it as text",
        "column span is a span of time in the file, and taken as numbers: seconds",
    ]
    about = json.dumps({"columns": [{"name": "whole", "pandas_type": "categorical"}]})
    pyarrow.parquet.write_table(pyarrow.table(columns).replace_schema_metadata({"pandas": about}), path)
    heard = Table(path=str(path), target="y", cache=None).load().notes
    assert any(note.startswith("column whole is categories in the file, and taken as numbers") for note in heard)
