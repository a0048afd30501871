"""Servers that answer, fail, are silent or send a letter at a time; the bound holds for all that is asked together."""

import json
import socket
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from dlexp.error import EnvironmentFault
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.tracking.reach import require_answer
from dlexp.tracking.sync import sync
from tests import command


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler], None]):
    """Serve one answer to every question, and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, format, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        Thread(target=made.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{made.server_address[1]}"
        made.shutdown()


@pytest.fixture
def silent():
    """A server that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def status(code: int, content: bytes = b"{}", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler):
        handler.send_response(code)
        for name, value in {"Retry-After": "86400", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.mark.parametrize("code", [200, 401, 404])
def test_a_server_that_is_alive_is_well(code):
    with serving(status(code)) as uri:
        require_answer(uri, uri, 60)


@pytest.mark.parametrize("code", [500, 502, 503])
def test_a_server_that_fails_is_one_line_whatever_it_says_of_retries(code):
    with serving(status(code)) as uri, pytest.raises(EnvironmentFault) as raised:
        require_answer(uri, "the store", 60)
    assert f"the store: no answer but status {code} " in str(raised.value)
    assert str(raised.value).endswith("; look at its log, or set tracking.uri to another")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (status(200, b"<html>please log in</html>"), "the store: answers, but not as MLflow does; set tracking.uri"),
        (status(200, b""), "the store: answers, but not as MLflow does; set tracking.uri"),
        (status(302, Location="/again"), "the store: no answer but status 302 "),
    ],
)
def test_a_server_that_is_not_mlflows_is_one_line(answer, told):
    with serving(answer) as uri, pytest.raises(EnvironmentFault) as raised:
        require_answer(uri, "the store", 60)
    assert str(raised.value).startswith(told)
    assert "\n" not in str(raised.value)


def test_a_database_is_not_asked():
    require_answer("sqlite:////nowhere/x.db", "x", 0.001)


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("http://127.0.0.1:9", "Connection refused"),
        ("http://127.0.0.1:port", "nonnumeric port: 'port'"),
        (f"http://{'a' * 70}.example", "label"),
    ],
)
def test_an_address_at_which_nothing_is_has_its_cure(uri, told):
    with pytest.raises(EnvironmentFault, match=f"^no answer from the store: .*{told}.*; start it, or set tracking.uri"):
        require_answer(uri, "the store", 60)


CURE = "start it anew, allow it more by tracking.timeout, or set tracking.uri to another"


def test_silence_is_waited_for_as_long_as_is_said(silent):
    with pytest.raises(EnvironmentFault) as raised:
        require_answer(silent, "the store", 0.2)
    assert str(raised.value) == f"no answer from the store within 0.2 s; {CURE}"


def test_a_server_that_sends_a_letter_at_a_time_does_not_outlast_the_bound():
    ended = Event()

    def drip(handler):
        while not ended.wait(0.05):
            handler.wfile.write(b"x")

    with serving(drip) as uri:
        with pytest.raises(EnvironmentFault, match=r"no answer from x within 0.5 s"):
            require_answer(uri, "x", 0.5)
        ended.set()


def test_a_slow_server_is_given_the_time_that_it_needs():
    arrived = []

    def slow(handler):
        arrived.append(Event().wait(0.6))
        status(200)(handler)

    with serving(slow) as uri:
        require_answer(uri, uri, 60)
        with pytest.raises(EnvironmentFault, match=r"within 0.3 s"):
            require_answer(uri, uri, 0.3)
    assert len(arrived) >= 2


def test_the_run_says_how_long_unless_the_command_does(silent, tmp_path):
    config = {"tracking": {"uri": silent, "timeout": 0.3}}
    described = {"kind": "train", "params": {"tracking": "mlflow"}}
    folder = RunFolder.create(tmp_path, "digits", "x", config=config, overrides=[], manifest=described)
    folder.update_manifest(status="finished", end=now())
    folder.unlock()
    for timeout, told in ((None, "within 0.3 s"), (0.2, "within 0.2 s")):
        (record,) = sync(tmp_path, [], timeout=timeout)
        assert told in (record["problem"] or "")
    done = command.run(tmp_path, "sync", "--runs-dir", ".", "--timeout", "0.1", "--json")
    assert (done.returncode, "within 0.1 s" in done.stdout) == (1, True)


def test_the_doctor_waits_as_long_as_is_said(silent, tmp_path):
    done = command.run(tmp_path, "doctor", "--json", "--uri", silent, "--timeout", "0.1")
    finding = {entry["name"]: entry for entry in json.loads(done.stdout)}["mlflow store"]
    told = {"name": "mlflow store", "status": "warn", "value": f"no answer from {silent} within 0.1 s", "cure": CURE}
    assert (done.returncode, finding) == (1, told)


@pytest.mark.parametrize("typed", ["0", "1e300", "nan", "-1", "soon"])
def test_a_time_that_cannot_be_waited_is_refused(tmp_path, typed):
    done = command.run(tmp_path, "config", f"tracking.timeout={typed}")
    assert (done.returncode, "tracking.timeout" in done.stderr) == (2, True), done.stderr
    assert done.stderr.count("\n") == 1
