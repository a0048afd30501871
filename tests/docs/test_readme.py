"""The README's tour is typed as it stands, in an empty folder; what it shows is what the commands print."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DLEXP = Path(sys.executable).parent / "dlexp"
TOUR = README.partition("## Five minutes")[2].partition("\n## ")[0]
KEYS = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
ID = re.compile(r"\b(?=[a-z]*[0-9])(?=[0-9]*[a-z])[0-9a-z]{11}\b")  # of a run: figures and letters, by the time
TOLERANCE = 0.03  # of accuracies, between machines


def steps():
    """Yield every command of the tour with the lines shown below it."""
    for block in re.findall(r"^```text\n(.*?)^```$", TOUR, re.M | re.S):
        for step in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, shown = step.replace("\\\n", " ").partition("\n")
            yield shlex.split(command), [line for line in shown.splitlines() if line != "..."]


def shape(line):
    """Return a line without what differs from run to run: figures, ids, folders, spaces."""
    line = re.sub(r"\S*/?runs/", "runs/", ID.sub("ID", line))
    line = re.sub(r"(\d+ (min|h) )?\d+(\.\d+)? (s|min)\b", "0 s", line)  # 4.2 s or, on a slower machine, 1 min 13 s
    return re.sub(r"\d+", "0", re.sub(r"\s+", " ", line)).strip()


def accuracies(lines):
    return [float(figure) for line in lines if "accuracy  " in line for figure in re.findall(r"[01]\.\d{4}", line)]


def run(words, folder):
    env = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=300)


def newest(folder):
    """Return the id of the run, sweep or cv that began last."""
    return max(path.parent.name for path in folder.glob("runs/*/*/manifest.json")).partition("-")[0]


def check_dashboard(shown, folder):
    """Start the dashboard as the README says, but on a free port and without a browser; fetch its page."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [DLEXP, "ui", "--port", str(port), "--no-open"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert shape(url).startswith(shape(shown[0]))
            with urllib.request.urlopen(url, timeout=60) as page:
                assert b"MLflow" in page.read()
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 130


def documented(kind):
    """Return the keys that docs/reference/json.md lists for a kind of document."""
    rows = KEYS.partition(f"## {kind}\n")[2].partition("\n## ")[0]
    return {key for cell in re.findall(r"^\| (`.*?) \|", rows, re.M) for key in re.findall(r"`(\w+)`", cell)}


def test_the_readme_is_short_and_its_pictures_are_small():
    assert len(README.encode()) <= 9 * 1024
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", README)
    assert len(pictures) >= 2
    assert all((ROOT / picture).stat().st_size < 100_000 for picture in pictures)


def test_every_command_of_the_tour_runs_and_prints_what_is_shown(tmp_path):
    ids, names = {}, []
    for words, shown in steps():
        names.append(words[1])
        if words[1] == "ui":
            check_dashboard(shown, tmp_path)
            continue
        done = run([DLEXP, *(ids.get(word, word) for word in words[1:])], tmp_path)
        assert done.returncode == 0, done.stderr
        if words[1] != "compare":
            ids |= {shown_id: newest(tmp_path) for shown_id in ID.findall("\n".join(shown))}
        printed = {shape(line): line for line in done.stdout.splitlines()}
        assert [line for line in shown if shape(line) not in printed] == [], done.stdout
        matched = [printed[shape(line)] for line in shown]
        pairs = zip(accuracies(shown), accuracies(matched), strict=True)
        assert all(abs(theirs - ours) < TOLERANCE for theirs, ours in pairs), done.stdout
    assert names == ["train", "sweep", "train", "cv", "cv", "compare", "ui"]
    check_keys(tmp_path, [word for word in ids.values() if "epochs10" in "".join(map(str, tmp_path.rglob(f"{word}*")))])


def check_keys(folder, cvs):
    """Hold the documents of the tour against the page of JSON."""
    documents = {}
    for path in folder.glob("runs/*/*/result.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        documents[document["kind"]] = document
    documents["compare"] = json.loads(run([DLEXP, "compare", "--json", *cvs], folder).stdout)
    assert set(documents) == {"train", "sweep", "cv", "compare"}
    for kind, document in documents.items():
        assert len(documented(kind)) > 4
        assert documented(kind) <= document.keys()
