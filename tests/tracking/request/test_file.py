from pathlib import Path
from typing import Any

import pytest

from dlexp.tracking.request.file import log_files


class Client:
    def __init__(self):
        self.staged = None

    def log_artifacts(self, run_id, place):
        self.staged = sorted(str(path.relative_to(place)) for path in Path(place).rglob("*") if path.is_file())


@pytest.fixture
def files(tmp_path):
    for name in ("log.txt", "loss.png"):
        (tmp_path / name).write_text(name)
    return [(tmp_path / "log.txt", ""), (tmp_path / "gone.txt", ""), (tmp_path / "loss.png", "figures")]


@pytest.mark.filterwarnings("ignore")  # mlflow's own libraries warn of each other
def test_files_lie_at_a_place_on_the_disk_without_a_question_where_that_is(files, tmp_path):
    client: Any = Client()
    place = tmp_path / "100% näher" / "artifacts"
    log_files(client, "r", files, {"inputs": "[]"}, place.as_uri())
    assert client.staged is None
    there = {str(path.relative_to(place)): path.read_text() for path in place.rglob("*") if path.is_file()}
    assert there == {"log.txt": "log.txt", "figures/loss.png": "loss.png", "signature.json": '{"inputs": "[]"}'}
    assert not any(path.is_symlink() for path in place.rglob("*"))


@pytest.mark.parametrize("place", [None, "s3://bucket/r/artifacts", "mlflow-artifacts:/1/r/artifacts"])
def test_everywhere_else_the_client_finds_the_place(files, place):
    client: Any = Client()
    log_files(client, "r", files, None, place)
    assert client.staged == ["figures/loss.png", "log.txt"]
