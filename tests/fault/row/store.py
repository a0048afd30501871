"""MLflow stores that are damaged, locked, or do not answer: the run has its bits, and the cure is one line."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.fault.bits import require_equal
from tests.fault.process import Done, dlexp
from tests.fault.promise import Attempt, NotPossible, Row
from tests.fault.row.instant import THREE_EPOCHS
from tests.fault.row.killed import trained, undisturbed

FILES = {"garbage": b"garbage" * 999, "zeros": bytes(8192), "half a header": b"SQLite format 3\0" + b"\xff" * 5000}
SERVERS = ("refuses", "says 500", "says retry after a day", "says nothing", "says no JSON")
KINDS = (*FILES, "a folder", "locked", "may not be read", "newer schema", *SERVERS)
COMMANDS = ("train", "sync", "doctor")
CASES = [(kind, command) for kind in KINDS for command in COMMANDS]
LONGEST = {"train": 75.0, "sync": 30.0, "doctor": 30.0}  # seconds, on a machine with other work; 60 are MLflow's turn


class _Handler(BaseHTTPRequestHandler):
    kind = ""

    def _answer(self) -> None:
        if self.kind == "says nothing":
            time.sleep(300)
        self.send_response(200 if self.kind == "says no JSON" else 500 if self.kind == "says 500" else 503)
        if "retry" in self.kind:
            self.send_header("Retry-After", "86400")
        self.end_headers()
        self.wfile.write(b"<html>")

    do_GET = do_POST = _answer

    def log_message(self, format: str, *rest: object) -> None:
        """Leave requests out of the test's output."""


@contextmanager
def store(kind: str) -> Iterator[str]:
    """Make a store that does not work, and yield its URI."""
    path = Path("store.db").absolute()
    uri = f"sqlite:///{path}"
    if kind in FILES:
        path.write_bytes(FILES[kind])
    elif kind == "a folder":
        path.mkdir()
    elif kind == "may not be read":
        raise NotPossible("root may read everything") if os.geteuid() == 0 else NotPossible("not tried")
    elif kind in ("locked", "newer schema"):
        tables = ("experiments", "runs", "metrics", "params", "tags")
        connection = sqlite3.connect(path)
        connection.executescript("".join(f"create table {table} (a);" for table in tables))
        connection.executescript("create table alembic_version (version_num); insert into alembic_version values ('x')")
        connection.commit()
        connection.execute("begin exclusive") if kind == "locked" else connection.close()
        yield uri
        with suppress(sqlite3.Error):
            connection.close()
        return
    else:
        with server(kind) as uri:
            yield uri
        return
    yield uri


@contextmanager
def server(kind: str) -> Iterator[str]:
    """Serve nothing of use on a port."""
    handler = type("Handler", (_Handler,), {"kind": kind})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    uri = f"http://127.0.0.1:{listening.server_address[1]}"
    if kind == "refuses":
        listening.server_close()
        yield uri
        return
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield uri
    listening.shutdown()


def no_answer(attempt: Attempt) -> None:
    """Train to a store that does not work, or send to it, or have it examined."""
    kind, command = CASES[attempt.case]
    expected = undisturbed(attempt, "three-epochs", THREE_EPOCHS, trained)
    words = [word for word in THREE_EPOCHS if word != "tracking=none"]
    with store(kind) as uri:
        if command == "train":
            done = dlexp(*words, f"tracking.uri={uri}", seconds=LONGEST[command] + 30)
            assert done.code == 0, done.err
            assert "dlexp sync" in done.out + done.err, f"{kind}: no word of how to send it: {done.err}"
            require_equal(expected, trained(Path("runs")))
        else:
            assert dlexp(*THREE_EPOCHS).code == 0
            where = ["--runs-dir", "runs", "--uri", uri]
            done = dlexp(
                *([command, "last"] if command == "sync" else [command]), *where, seconds=LONGEST[command] + 30
            )
            assert done.code == 1, f"{kind}: exit {done.code}: {done.out[-300:]}{done.err[-300:]}"
    require_short(done, f"{command}, {kind}", LONGEST[command])


def require_short(done: Done, where: str, longest: float) -> None:
    text = done.out + done.err
    assert "Traceback" not in text, f"{where}: {text[-500:]}"
    assert "internal error" not in text, f"{where}: {text[-300:]}"
    assert "sqlalche" not in text.lower(), f"{where}: {text[-300:]}"
    assert len(done.err.splitlines()) <= 4, f"{where}: {done.err}"
    assert done.seconds <= longest, f"{where}: {done.seconds:.0f} s"


ROWS = [
    Row(
        "store-broken",
        "A store that does not work costs no run; the cure is one line, and `sync` and `doctor` end soon",
        f"{len(KINDS)} stores (garbage, a folder, locked, another schema, a server that refuses, says 500, asks to "
        "come back in a day, says nothing) x train, sync, doctor",
        no_answer,
        fast=1,
        full=len(CASES),
        limit=200.0,
    ),
]
