"""A page from elsewhere changes nothing; tests of the dashboard start the server itself."""

import asyncio
import subprocess
import sys

import pytest

from dlexp.tracking.server import SameOrigin, environment


def answers(**headers):
    """The messages that a request with these headers is answered by."""
    sent = []

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(SameOrigin(application)({"type": "http", "headers": encoded}, receive, send))
    return sent


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://127.0.0.1:5000", 200),
        ("http://127.0.0.1:8888", 403),
        ("http://localhost:5000", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_only_pages_of_the_same_host_and_port_are_answered(origin, status):
    headers = {"host": "127.0.0.1:5000"} | ({} if origin is None else {"origin": origin})
    assert answers(**headers)[0]["status"] == status


def test_the_store_is_told_by_variables_and_no_password_by_the_command_line():
    told = environment("postgresql://me:s3cret@db/x", "", ["localhost:5000"])
    assert told["_MLFLOW_SERVER_FILE_STORE"] == "postgresql://me:s3cret@db/x"
    assert told["MLFLOW_SERVER_ALLOWED_HOSTS"] == "localhost:5000"
    assert "_MLFLOW_SERVER_ARTIFACT_ROOT" not in told


def test_it_ends_when_the_process_that_started_it_is_gone():
    code = "from dlexp.tracking.server import end_with; import time; end_with(1); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code])
    assert process.wait(20) == -15
