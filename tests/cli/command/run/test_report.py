"""`dlexp report` as users run it: a page for each kind of run, and what is refused."""

import json
import re

import pytest

from tests import command

QUICK = ["-q", "--json", "tracking=none", "trainer.threads=1", "trainer.epochs=2"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    searched = ("optimizer.lr=0.01,0.1", "activation=relu,tanh", "trainer.batch_size=16,32")
    commands = {
        "mlp": ("train", "data=iris"),
        "values": ("train", "data=diabetes"),
        "softmax": ("train", "data=iris", "model=softmax"),
        "sweep": ("sweep", "data=iris", *searched),
        "seeds": ("sweep", "data=iris", "model=softmax", "optimizer.lr=0.01,0.0101", "seed=0,1,2"),
        "cv": ("cv", "data=iris", "cv.k=3"),
        "settings": ("cv", "data=iris", "cv.k=3", "optimizer.lr=0.001,0.1"),
    }
    ids = {}
    for name, words in commands.items():
        done = command.run(folder, *words, *QUICK)
        assert done.returncode == 0, done.stderr
        ids[name] = json.loads(done.stdout)["run_id"]
    return folder, ids


def write(project, *words):
    project, ids = project
    done = command.run(project, "report", *(ids.get(word, word) for word in words), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    text = (project / document["path"]).read_text(encoding="utf-8")
    assert document["bytes"] == len(text.encode())
    return document, text


def test_a_training_answers_with_interval_number_and_guess(project):
    document, text = write(project, "softmax")
    assert document["path"].endswith("report.html")
    assert document["question"] == "How well does softmax with epochs 2 tell apart iris?"
    assert re.fullmatch(
        r"[\d.]+ % of 30 validation examples \([\d.]+ to [\d.]+ %\); guessing the .*", document["answer"]
    )
    for title in ("Learning curves", "Confusion", "Each class", "Reliability", "Least sure", "Weights by layer"):
        assert f">{title}" in text


def test_values_get_residuals_and_no_confusion(project):
    document, text = write(project, "values")
    assert re.match(
        r"rmse [\d.]+ \([\d.]+ to [\d.]+\) on 88 validation examples; guessing the mean", document["answer"]
    )
    assert "Predictions and residuals" in text
    assert "Confusion" not in text


def test_the_answer_says_what_cannot_be_told_from_the_best(project):
    document, _ = write(project, "seeds")
    assert document["answer"].endswith("the best of 2 settings; 1 other cannot be told from it.")


def test_a_sweep_has_a_slice_for_each_dimension_the_most_important_first(project):
    document, text = write(project, "sweep")
    assert document["about"] == "sweep"
    assert "the best of 8 settings" in document["answer"]
    titles = re.findall(r"<h3>([^<]*)</h3>", text)
    assert set(titles[:3]) == {"optimizer.lr", "activation", "trainer.batch_size"}
    assert titles[3:] == ["Settings", "Best so far", "Curves of the best"]
    assert text.count('class="ranked"') == 1


def test_folds_and_settings_on_folds(project):
    document, text = write(project, "cv")
    assert "in the mean of 3 folds" in document["answer"]
    assert "held out" not in document["question"]
    document, text = write(project, "settings")
    assert "the best of 2 settings on the same 3 folds" in document["answer"]
    assert "Settings by folds" in text


def test_two_runs_are_compared_and_in_markdown_and_latex_too(project):
    refs = "softmax", "mlp"
    document, text = write(project, *refs)
    assert document["question"].startswith("Which is better: ")
    assert "paired over 30 examples" in document["answer"]
    assert "that only" in text
    document, text = write(project, *refs, "--out", "a.md")
    assert text.startswith("## Which is better")
    document, text = write(project, *refs, "--format", "tex")
    assert text.count(r"\toprule") == text.count(r"\bottomrule") >= 2


def test_without_a_run_an_index_that_links_to_the_pages_there_are(project):
    folder, ids = project
    write(project, "softmax")
    document, text = write(project)
    assert (document["about"], document["path"]) == ("project", "runs/report.html")
    links = re.findall(r'href="([^"#]+)"', text)
    assert any(ids["softmax"] in link for link in links)
    assert all((folder / "runs" / link).is_file() for link in links)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("nothing",), "nothing: no such run"),
        (("last", "--out", "a.pdf"), "--out: got a.pdf; names end with html, md, tex"),
        (("last", "--out", "a.md", "--format", "tex"), "--out: got a.md beside --format tex"),
        (("last", "--out", "file/a.md"), "file: got a file where a folder is needed; name another place"),
        (("last", "--out", "file/in/a.md"), "file/in: got a file where a folder is needed; name another place"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_line(project, words, reason):
    (project[0] / "file").touch()
    done = command.run(project[0], "report", *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert reason in done.stderr


def test_compare_fails_where_a_later_run_is_worse_only_if_asked_to(project):
    folder, ids = project
    refs = (f"{ids['settings']}:1", f"{ids['settings']}:2")
    document = json.loads(command.run(folder, "compare", *refs, "--json").stdout)
    is_worse = document["pairs"][0]["verdict"] == "a"
    assert command.run(folder, "compare", *refs).returncode == 0
    assert command.run(folder, "compare", *refs, "--fail-if", "worse").returncode == int(is_worse)
    assert command.run(folder, "compare", *reversed(refs), "--fail-if", "worse").returncode == 0
    assert command.run(folder, "compare", "--noise", ids["cv"], "--fail-if", "worse").returncode == 2
