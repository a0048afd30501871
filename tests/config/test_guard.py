"""YAML that would hurt is refused before OmegaConf reads it."""

import os
import time
from pathlib import Path

import pytest

from dlexp.config.guard import MAX_BYTES, check_file, check_folder
from dlexp.error import ConfigError


def alias_bomb(levels, width):
    lines = [f"a0: &a0 [{', '.join('x' * width)}]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]" for i in range(1, levels)]
    return "\n".join(lines)


REFUSED = [
    (alias_bomb(5, 10), "got more than 20,000 values (aliases written out) or 30 levels; shorten it"),
    (alias_bomb(60, 2), "got more than 20,000 values (aliases written out) or 30 levels; shorten it"),
    ("a: " + "[" * 1000 + "]" * 1000, "got more than 20,000 values (aliases written out) or 30 levels; shorten it"),
    ("a: &a [*a]", "got the alias *a, which is unknown or stands in itself; write it out"),
    ("a: *b", "got the alias *b, which is unknown or stands in itself; write it out"),
    ("- 1\n- 2", "got a file without keys; lines of the form `key: value` are needed"),
    ("text", "got a file without keys; lines of the form `key: value` are needed"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refusals(tmp_path, text, message):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    started = time.perf_counter()
    with pytest.raises(ConfigError) as caught:
        check_file(path)
    assert str(caught.value) == f"{path}: {message}"
    assert time.perf_counter() - started < 5  # expanding the bombs would take minutes


def test_a_file_that_is_no_yaml_is_refused_with_its_line(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\nb: [1, 2\nc: }")
    with pytest.raises(ConfigError) as caught:
        check_file(path)
    assert str(caught.value) == f"{path}, line 3: got text that is no YAML; check indentation and colons"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError, match="got text that is no YAML"):
        check_file(path)


def test_a_file_of_100_mb_is_refused_unread(tmp_path):
    path = tmp_path / "x.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    started = time.perf_counter()
    with pytest.raises(ConfigError) as caught:
        check_file(path)
    assert str(caught.value) == f"{path}: got 100,000,000 bytes; a config file of at most {MAX_BYTES:,} is read"
    assert time.perf_counter() - started < 1


def test_ordinary_files_pass_and_every_file_below_a_folder_is_seen(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "a.yaml").write_text("x: &x [1, 2]\ny: *x\nz: {p: *x}\n")
    (tmp_path / "empty.yaml").write_text("# nothing but a comment\n")
    check_folder(tmp_path)
    (tmp_path / "deep" / "er" / "b.yml").write_text("a: *b")
    with pytest.raises(ConfigError, match=r"b\.yml: got the alias"):
        check_folder(tmp_path)
    (tmp_path / "deep" / "er" / "b.yml").unlink()
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigError, match=r"pipe\.yaml: got no regular file; a file of text is needed"):
        check_folder(tmp_path)


def test_a_file_is_checked_again_when_it_changes(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("x: 1\n")
    assert check_folder(tmp_path)[0][0] == str(path)
    path.write_text("- no mapping\n")
    with pytest.raises(ConfigError, match="got a file without keys"):
        check_folder(tmp_path)


def test_the_root_of_the_file_system_is_refused_quickly():
    started = time.perf_counter()
    with pytest.raises(ConfigError) as caught:
        check_folder(Path("/"))
    assert str(caught.value).startswith("--config-dir: got /; it holds more than 20,000 files")
    assert time.perf_counter() - started < 10


def test_an_absent_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        check_folder(tmp_path / "none")
    assert str(caught.value) == f"--config-dir: got {tmp_path}/none; a folder that exists is needed"
