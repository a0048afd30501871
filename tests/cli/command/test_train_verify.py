"""`dlexp train --verify-trial` as users run it."""

import json

from tests import command


def run(cwd, *arguments):
    return command.run(cwd, "train", *arguments)


def test_a_run_is_the_same_again_and_exit_codes_say_so(tmp_path):
    small = ["tracking=none", "trainer.threads=1", "trainer.epochs=1", "data.limit=100"]
    assert run(tmp_path, *small, "-q").returncode == 0
    done = run(tmp_path, "--verify-trial", "last", "--json")
    assert done.returncode == 0, done.stderr
    verification = json.loads(done.stdout)
    assert verification["is_bitwise"]
    assert set(verification["differences"]["solo"].values()) == {0.0}
    assert "the same to the last bit" in done.stderr


def test_it_is_given_alone(tmp_path):
    done = run(tmp_path, "--verify-trial", "last", "seed=1")
    assert done.returncode == 2
    assert "--verify-trial: got other settings too" in done.stderr
