import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from dlexp.error import ConfigError, EnvironmentFault
from dlexp.run.folder import RunFolder
from dlexp.tracking.dashboard import Dashboard, check_port, deep_link, serve
from dlexp.tracking.sent import Sent


@pytest.fixture
def sent_run(tmp_path):
    folder = RunFolder.create(tmp_path / "runs", "digits", "x", config={}, overrides=[], manifest={"kind": "train"})
    Sent(experiment_id="7", mlflow_run_id="abc", summary="best/val_accuracy", status="finished").write(folder)
    folder.unlock()
    return folder


def test_a_used_port_is_one_line_with_a_free_one(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        with pytest.raises(EnvironmentFault, match=rf"port {port} on 127\.0\.0\.1: Address already in use.*--port \d+"):
            check_port("127.0.0.1", port)
        with pytest.raises(EnvironmentFault), serve(tmp_path, port=port):
            pytest.fail("it must not start")
    check_port("127.0.0.1", port)


def test_the_deep_link_is_the_sorted_training_view(sent_run):
    link = deep_link(sent_run.runs_dir)
    assert link.startswith("/#/experiments/7/runs?workflowType=machine_learning")
    assert "orderByKey=metrics.%60best%2Fval_accuracy%60&orderByAsc=false" in link


def test_the_deep_link_opens_the_view_where_the_experiment_has_it(sent_run):
    Sent(experiment_id="7", mlflow_run_id="abc", summary="best/val_accuracy", has_view=True).write(sent_run)
    link = deep_link(sent_run.runs_dir)
    assert link == "/#/experiments/7/runs?workflowType=machine_learning&viewStateShareKey=dlexp"


def test_without_runs_the_link_opens_the_training_mode(tmp_path):
    assert deep_link(tmp_path) == "/#/experiments?workflowType=machine_learning"


def test_a_server_that_is_away_is_said(tmp_path):
    with (
        pytest.raises(EnvironmentFault, match=r"no answer from http://127\.0\.0\.1:9"),
        serve(tmp_path, uri="http://127.0.0.1:9"),
    ):
        pytest.fail("it must not start")


def test_pages_are_not_served_beside_another_s_server(tmp_path):
    message = r"--report: got .*127\.0\.0\.1:9.*, another server; open the pages that `dlexp report` writes"
    with pytest.raises(ConfigError, match=message), serve(tmp_path, uri="http://127.0.0.1:9", has_pages=True):
        pytest.fail("it must not start")
    assert Dashboard("http://h:1/#/", None).document == {"url": "http://h:1/#/"}
    with_pages = Dashboard("http://h:1/#/", None, "http://h:1/dlexp/")
    assert with_pages.document == {"url": "http://h:1/#/", "report": "http://h:1/dlexp/"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]
)
def test_the_server_answers_here_alone_and_ends_with_the_command(tmp_path, signum, code):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = Path(sys.executable).with_name("dlexp")
    command = [script, "ui", "--no-open", "--json", "--port", str(port), "--runs-dir", str(tmp_path / "runs")]
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        text = "".join(process.stdout.readline() for _ in range(3))
        url = json.loads(text)["url"]
        assert re.match(rf"http://127\.0\.0\.1:{port}/#/experiments", url)
        with urllib.request.urlopen(url.partition("#")[0], timeout=10) as page:
            assert b"<title>MLflow</title>" in page.read()
        assert [status(url, Origin=origin) for origin in (f"http://127.0.0.1:{port}", None)] == [200, 200]
        for origin in ("http://127.0.0.1:8888", "http://localhost:3000", "http://evil.example", "null"):
            assert status(url, Origin=origin) == 403
        assert status(url, Host="evil.example") == 403
        server = psutil.Process(process.pid).children(recursive=True)
        listening = [c.laddr for child in server for c in child.net_connections() if c.status == psutil.CONN_LISTEN]
        assert {address.ip for address in listening if address.port == port} == {"127.0.0.1"}
        process.send_signal(signum)
        process.wait(30)
    assert process.returncode == code
    _, left = psutil.wait_procs(server, timeout=5)
    assert not left


def status(url, **headers):
    """The status of a request that creates an experiment as a page would."""
    address = url.partition("/#")[0] + "/ajax-api/2.0/mlflow/experiments/search"
    sent = {name: value for name, value in headers.items() if value is not None}
    request = urllib.request.Request(address, b'{"max_results": 1}', {"Content-Type": "application/json", **sent})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("host", ["", " "])
def test_no_host_is_refused_and_not_taken_for_every_address(tmp_path, host):
    with pytest.raises(
        ConfigError, match=r"--host: got ' ?'; an address is needed, 127\.0\.0\.1 for this machine only"
    ):
        check_port(host, 5000)
    with pytest.raises(ConfigError), serve(tmp_path, host=host):
        pytest.fail("it must not start")


def page(url, profile):
    """The text of a page as a browser has it after its scripts ran."""
    browser = [
        str(shutil.which("chromium")),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1900,1500",
    ]
    waiting = ["--timeout=90000", "--virtual-time-budget=90000", "--dump-dom", f"--user-data-dir={profile}"]
    html = subprocess.run([*browser, *waiting, url], capture_output=True, text=True, check=True, timeout=180).stdout
    return re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(script|style).*?</\1>", " ", html))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no browser")
@pytest.mark.filterwarnings("ignore")  # of MLflow's own imports
def test_a_browser_shows_the_metric_the_five_charts_and_the_winner_of_a_sweep(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    script = str(Path(sys.executable).with_name("dlexp"))
    sweep = ["sweep", "--json", "data=iris", "trainer.epochs=2", "optimizer.lr=0.01,0.1"]
    done = json.loads(subprocess.run([script, *sweep], capture_output=True, text=True, check=True).stdout)
    folder = RunFolder.open(Path(done["run_dir"]))
    sent = Sent.read(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serve(tmp_path / "runs", port=port) as dashboard:
        table = page(dashboard.url, tmp_path / "browser")
        charts = page(f"{dashboard.url}&compareRunsMode=CHART", tmp_path / "browser")
        address = f"http://127.0.0.1:{port}/#/experiments/{sent.experiment_id}/runs/{sent.mlflow_run_id}"
        run = page(address, tmp_path / "browser")
    assert "best/val_accuracy" in table
    assert "what matters (5)" in " ".join(charts.split())
    winner = next(trial["run_id"] for trial in done["trials"] if trial["number"] == done["best"]["number"])
    assert f"Winner: {winner}" in " ".join(run.split())
