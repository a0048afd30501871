"""`dlexp schema` prints the schema, or writes it for editors."""

import json

from tests.command import run


def test_it_prints_one_schema(tmp_path):
    done = run(tmp_path, "schema")
    whole = json.loads(done.stdout)
    assert (done.returncode, whole["$schema"]) == (0, "https://json-schema.org/draft/2020-12/schema")
    assert list(tmp_path.iterdir()) == []


def test_it_writes_into_the_project_s_folder(tmp_path):
    (tmp_path / "conf" / "optimizer").mkdir(parents=True)
    (tmp_path / "conf" / "optimizer" / "mine.yaml").write_text("defaults: [adam, _self_]\n")
    done = run(tmp_path, "schema", "--write", "--config-dir", "conf")
    assert done.stdout == "wrote    conf/.schema/dlexp.json\nmarked   conf/optimizer/mine.yaml\n"
    again = json.loads(run(tmp_path, "schema", "--write", "--config-dir", "conf", "--json").stdout)
    assert again == {"schema": "conf/.schema/dlexp.json", "files": ["conf/optimizer/mine.yaml"], "changed": []}


def test_a_project_without_files_is_told_so(tmp_path):
    done = run(tmp_path, "schema", "--write")
    assert done.returncode == 0
    assert "no YAML files there yet" in done.stdout
    assert (tmp_path / "conf" / ".schema" / "dlexp.json").is_file()


def test_a_file_in_the_folder_s_place_is_one_line(tmp_path):
    (tmp_path / "conf").write_text("")
    done = run(tmp_path, "schema", "--write")
    assert (done.returncode, done.stdout) == (2, "")
    assert "got a file where a folder is needed" in done.stderr
