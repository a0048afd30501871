"""`dlexp ui`: what a page of a stranger, in the user's own browser, may ask of the local server: nothing."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.fault.promise import Attempt, Row
from tests.fault.runner import ROOT

READY = 150.0  # seconds, on a machine with other work
ASKED = (
    ("GET", "/", b""),
    ("POST", "/ajax-api/2.0/mlflow/experiments/search", b'{"max_results": 1}'),
    ("POST", "/api/2.0/mlflow/experiments/create", b'{"name": "taken"}'),
)
ORIGINS = (
    *("http://evil.example", "https://evil.example", "null", "file://", "http://127.0.0.1:1", "http://localhost:3000"),
    *(
        "http://127.0.0.1",
        "http://127.0.0.1:PORT.evil.example",
        "http://evil.example:PORT",
        "http://127.0.0.1.nip.io:PORT",
    ),
    *("http://[::1]:PORT", "http://0.0.0.0:PORT", "http://user@127.0.0.1:PORT", "http://localhost:PORT"),
)
HOSTS = (
    *("evil.example", "evil.example:PORT", "127.0.0.1.nip.io:PORT", "127.0.0.1:1", "localhost:1", "0.0.0.0:PORT"),
    *("127.0.0.1:PORT.evil.example", "evil.example#127.0.0.1:PORT", "[::1]:PORT", ""),
)
NUM_ASKED = len(ASKED) * (len(ORIGINS) + 2 * len(HOSTS)) + 2


def strangers(attempt: Attempt) -> int:
    """Ask the dashboard as foreign pages do, by Origin, by Host (a name that leads here), and by both."""
    with dashboard() as port:
        here = f"127.0.0.1:{port}"
        assert status(port, *ASKED[1], Host=here, Origin=f"http://{here}") == 200
        assert status(port, *ASKED[1], Host=f"localhost:{port}") == 200
        answers: dict[str, int] = {}
        for method, path, body in ASKED:
            for text in ORIGINS:
                origin = text.replace("PORT", str(port))
                answers[f"{path}, Origin {text}"] = status(port, method, path, body, Host=here, Origin=origin)
            for text in HOSTS:
                host = text.replace("PORT", str(port))
                answers[f"{path}, Host {text}"] = status(port, method, path, body, Host=host)
                answers[f"{path}, both {text}"] = status(port, method, path, body, Host=host, Origin=f"http://{host}")
        admitted = [where for where, code in answers.items() if code not in (400, 403)]
        assert not admitted, f"{len(admitted)} of {len(answers)} were answered: {admitted[:6]}"
        assert status(port, *ASKED[2], Host=here) == 200, "the experiment had been made by a stranger"
    return NUM_ASKED


@contextmanager
def dashboard() -> Iterator[int]:
    """Run `dlexp ui` as a process of its own, and yield its port; afterwards nothing of it is left."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from dlexp.cli import main; main()", "ui", "--no-open", "--json"]
    around = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    around["PYTHONPATH"] = os.environ.get("PYTHONPATH", str(ROOT))
    with (
        open("ui.err", "w") as errors,
        subprocess.Popen(
            [*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=errors, text=True, env=around
        ) as process,
    ):
        assert process.stdout is not None
        told = "".join(process.stdout.readline() for _ in range(3))
        assert told, Path("ui.err").read_text()
        assert json.loads(told)["url"].startswith(f"http://127.0.0.1:{port}/")
        servers = psutil.Process(process.pid).children(recursive=True)
        listening = [c.laddr for child in servers for c in child.net_connections() if c.status == psutil.CONN_LISTEN]
        assert {address.ip for address in listening if address.port == port} == {"127.0.0.1"}
        try:
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    _, left = psutil.wait_procs(servers, timeout=20)
    assert not left, f"left behind: {left}"


def status(port: int, method: str, path: str, body: bytes, **headers: str) -> int:
    """Return the status of a request; 400 where the connection is closed without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    try:
        return connection.getresponse().status
    except http.client.RemoteDisconnected:
        return 400
    finally:
        connection.close()


ROWS = [
    Row(
        "ui-strangers",
        "The dashboard listens on this machine alone and answers no page of elsewhere, and ends with its command",
        f"{len(ORIGINS)} foreign Origins, {len(HOSTS)} foreign Hosts and both at once, reading and writing",
        strangers,
        fast=0,
        full=3,
        each=NUM_ASKED,
        limit=2 * READY,
    )
]
