"""`dlexp sweep` as users and scripts run it."""

import json

import pytest

from tests import command

SMALL = ["tracking=none", "trainer.threads=1", "trainer.epochs=2", "data.limit=200"]


def run(cwd, *arguments):
    return command.run(cwd, "sweep", *arguments)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    return folder, run(folder, *SMALL, "optimizer.lr=0.03,0.3")


def test_a_line_a_trial_then_the_winner(first):
    _, done = first
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines if "(1 / 2)" in line or "(2 / 2)" in line] == ["val acc"] * 2
    winner = next(line for line in lines if line.startswith("winner"))
    assert winner.split(maxsplit=1)[1].startswith("dlexp train tracking=none trainer.threads=1 trainer.epochs=2")
    assert "optimizer.lr=0.3" in winner
    assert any(line.startswith("sealed test") for line in lines)


def test_resume_prints_one_document(first):
    folder, _ = first
    done = run(folder, "--resume", "last", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["kind"] == "sweep"
    assert result["best"]["overrides"] == {"optimizer.lr": 0.3}
    assert done.stderr.count("was there") == 2


def test_a_dry_run_writes_nothing(tmp_path):
    done = run(tmp_path, *SMALL, "optimizer.lr=0.1,0.2,0.3", "seed=0,1", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "settings 3, 6 trials" in done.stdout
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optimizer.lr=interval(1,0)"], "config error: optimizer.lr: got interval(1,0); low <= high must hold"),
        (["optimizer.lr=0.1"], "config error: nothing to search"),
        (["optimizer.lr=interval(0.1,1)"], "config error: optimizer.lr: got interval(0.1,1); search=grid needs"),
        (["--resume", "last", "optimizer.lr=1,2"], "config error: --resume"),
    ],
)  # fmt: skip
def test_refused(tmp_path, arguments, message):
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_the_winner_over_seeds(first):
    folder, _ = first
    arguments = ["train", "--from", "last", "--seeds", "2", "--test", "--json"]
    done = command.run(folder, *arguments)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["spread"]["runs"] == result["test"]["runs"] == 2
    assert "mean ± standard deviation" in done.stderr
    assert "optimizer.lr=0.3" in done.stderr.splitlines()[0]


def test_over_seeds_the_winner_is_offered_over_eight_seeds(tmp_path):
    done = run(tmp_path, *SMALL, "optimizer.lr=0.2,0.3", "seed=0,1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.split() == ["val/accuracy", "lr", "epochs", "status", "tie"] for line in lines)
    assert any(line.endswith("with 1") for line in lines)
    (offered,) = [line for line in lines if line.startswith("sealed test")]
    assert offered.endswith("--seeds 8 --test")  # one seed of several would be luck


def test_tables_mark_a_setting_that_is_no_better_than_a_guess(tmp_path):
    told = run(tmp_path, *SMALL, "init=zeros", "optimizer.lr=0.1,1e9", "model.widths=[8]").stdout
    lines = told.splitlines()
    table = lines[next(i for i, line in enumerate(lines) if "epochs  status" in line) :][1:3]
    assert [line.split(maxsplit=4)[4].strip() for line in table] == ["finished, a guess", "diverged"]
    assert "no better than guessing the most frequent class" in told
    assert "finished, a guess" in command.run(tmp_path, "runs").stdout


@pytest.mark.parametrize(
    ("words", "is_evened"),
    [
        (["train"], False),
        (["sweep", "optimizer.lr=0.1,0.2"], False),
        (["sweep", "trainer.oversample=true,false"], True),
        (["cv", "cv.k=3"], False),
    ],
)
def test_what_is_wrong_with_the_data_is_said_and_written_down(tmp_path, words, is_evened):
    rows = [f"{k % 7},{k % 5},{int(k % 11 == 0)}" for k in range(200)]  # 35 inputs, so many stand in several parts
    (tmp_path / "d.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    small = ["data=csv", "data.path=d.csv", "data.target=y", "model=softmax", "trainer.epochs=1", "tracking=none"]
    done = command.run(tmp_path, *words, *small)
    assert done.returncode == 0, done.stderr
    shown = [line.removeprefix("warning ") for line in done.stdout.splitlines() if line.startswith("warning ")]
    assert any("byte for byte: scores may be too good" in line for line in shown)
    assert any("classes are unequal" in line for line in shown) is not is_evened
    (log,) = tmp_path.glob("runs/d/*/log.txt")
    assert [line.partition("warning: ")[2] for line in log.read_text().splitlines() if "warning: " in line] == shown
