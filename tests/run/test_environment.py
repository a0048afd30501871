import subprocess
import sys

from dlexp.run import environment


def test_versions_are_known_without_importing_the_packages():
    code = (
        "import sys; from dlexp.run.environment import environment; found = environment();"
        "assert found['packages']['torch'] and found['packages']['mlflow'];"
        "assert not {'torch', 'mlflow', 'torchvision', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_absent_package_has_no_version():
    assert environment.versions(("no-such-package-anywhere",)) == {"no-such-package-anywhere": None}


def test_commit_and_dirty_flag(tmp_path, monkeypatch):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.chdir(tmp_path)
    assert environment.git_state() is None
    git("init")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-m", "first")
    state = environment.git_state()
    assert state is not None
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    (tmp_path / "a").write_text("2")
    state = environment.git_state()
    assert state is not None
    assert state["dirty"] is True


def test_times_are_utc_and_convertible():
    assert environment.now().endswith("+00:00")
    assert environment.to_milliseconds("1970-01-01T00:00:01.250+00:00") == 1250
