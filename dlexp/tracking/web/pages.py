"""The pages of `dlexp report` beside MLflow, read from the runs folder; nothing else of it is answered.

/dlexp/                               the project's page, report.html of the runs folder
/dlexp/digits/1qx05zh0aqn-x/report.html   a run's
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dlexp.disk.regular import read_bytes
from dlexp.run.folder import is_run

PREFIX = "/dlexp/"
PAGE = "report.html"
_TOP = re.compile(r"report\.html|compare-[\w.-]+\.html")
_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Pages:
    """Answers what begins with `PREFIX`, and leaves the rest to another application.

    Args:
        application: That answers the rest.
        runs_dir: Folder of all runs.
        hosts: Values of the header Host that are answered: a name of elsewhere may have been made to lead here.
    """

    def __init__(self, application: Application, runs_dir: Path, hosts: list[str]) -> None:
        self.application, self.runs_dir = application, runs_dir
        self.hosts = {host.encode() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.application(scope, receive, send)
            return
        status, body = self._answer(scope)
        await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _answer(self, scope: Scope) -> tuple[int, bytes]:
        if dict(scope.get("headers", [])).get(b"host") not in self.hosts:
            return 403, b"<p>unknown host"
        if scope["method"] not in ("GET", "HEAD"):
            return 405, b"<p>pages are only read"
        path = self.find(scope["path"])
        try:
            if path is not None:
                return 200, read_bytes(path)
        except OSError:
            pass  # it is not there, or no file
        return 404, b"<p>no such page: dlexp report RUN writes that of a run"

    def find(self, address: str) -> Path | None:
        """Return the file of an address; None for what is no page of the runs folder.

        Args:
            address: Path of the request, without its query.
        """
        names = [name for name in unquote(address).removeprefix(PREFIX).split("/") if name] or [PAGE]
        if any(name.startswith(".") or "\0" in name or "\\" in name for name in names):
            return None
        path = self.runs_dir.joinpath(*names)
        if len(names) == 1:
            return path if _TOP.fullmatch(names[0]) else None
        return path if names[-1] == PAGE and is_run(path.parent) else None
