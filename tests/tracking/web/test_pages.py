"""Pages are served to this machine's names, pages alone are, and everything else is left to MLflow."""

import asyncio

import pytest

from dlexp.run.folder import RunFolder
from dlexp.tracking.web.pages import Pages

HOST = "127.0.0.1:5000"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project") / "runs"
    made = RunFolder.create(folder, "digits", "x", config={}, overrides=[], manifest={"kind": "train"})
    made.unlock()
    (made.path / "report.html").write_text("<p>run é")
    (made.path / "other.html").write_text("secret")
    (folder / "report.html").write_text("<p>project")
    (folder / "compare-a-b.html").write_text("<p>compared")
    (folder / "mlflow.db").write_text("secret")
    (folder / ".trash").mkdir()
    (folder / ".trash" / "report.html").write_text("secret")
    (folder / "loose").mkdir()
    (folder / "loose" / "report.html").write_text("secret")
    (folder.parent / "report.html").write_text("secret")
    return folder, made.path.relative_to(folder).as_posix()


def ask(runs_dir, path, host=HOST, method="GET"):
    """Return status and body of a request; 999 where it was left to the other application."""
    sent = []

    async def other(scope, receive, send):
        await send({"status": 999})
        await send({"body": b"mlflow"})

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    headers = [] if host is None else [(b"host", host.encode())]
    scope = {"type": "http", "path": path, "method": method, "headers": headers}
    asyncio.run(Pages(other, runs_dir, [HOST, "localhost:5000"])(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def test_pages_are_answered(runs):
    folder, run = runs
    assert ask(folder, "/dlexp/") == ask(folder, "/dlexp/report.html") == (200, b"<p>project")
    assert ask(folder, f"/dlexp/{run}/report.html") == (200, "<p>run é".encode())
    assert ask(folder, "/dlexp/compare-a-b.html", host="localhost:5000") == (200, b"<p>compared")
    assert ask(folder, "/dlexp/", method="HEAD") == (200, b"")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:5001", "127.0.0.1", None])
def test_a_name_of_elsewhere_is_refused(runs, host):
    assert ask(runs[0], "/dlexp/", host=host)[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_is_changed(runs, method):
    assert ask(runs[0], "/dlexp/", method=method)[0] == 405


@pytest.mark.parametrize(
    "path",
    [
        "/dlexp/mlflow.db",
        "/dlexp/../report.html",
        "/dlexp/%2e%2e/report.html",
        "/dlexp/..%2freport.html",
        "/dlexp/digits/../../report.html",
        "/dlexp//etc/passwd",
        "/dlexp/.trash/report.html",
        "/dlexp/loose/report.html",
        "/dlexp/{run}/other.html",
        "/dlexp/{run}/manifest.json",
        "/dlexp/{run}/report.html%00",
        "/dlexp/absent/report.html",
        "/dlexp/compare-../../report.html",
    ],
)
def test_nothing_but_pages_is_answered(runs, path):
    folder, run = runs
    status, body = ask(folder, path.format(run=run))
    assert status == 404
    assert b"secret" not in body


@pytest.mark.parametrize("path", ["/", "/health", "/dlexp", "/ajax-api/2.0/mlflow/runs/search", "/static-files/x"])
def test_the_rest_is_mlflow_s(runs, path):
    assert ask(runs[0], path, host="evil.example") == (999, b"mlflow")  # which looks at the host itself
