"""The dashboard's server process: ``python -m dlexp.tracking.server HOST PORT PARENT [RUNS]``.

MLflow's own command starts the same application, but lets pages of every port of this machine change runs, and lives
on when the process that started it is killed.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from dlexp.tracking.store import SETTINGS
from dlexp.tracking.web.pages import Application, Pages, Receive, Scope, Send

REFUSED = b"cross-origin request refused"
_WATCH_SECONDS = 1.0


class SameOrigin:
    """Refuses requests that a page from elsewhere sends, another port of this machine included.

    Args:
        application: What answers the others; it checks the header Host.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope.get("headers", []))
        origin, host = headers.get(b"origin"), headers.get(b"host", b"")
        if origin is None or origin.partition(b"://")[2] == host:
            await self.application(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": REFUSED})


def environment(uri: str, artifacts: str, hosts: list[str]) -> dict[str, str]:
    """Return the variables by which MLflow's application is told its store and the names it answers to."""
    return {
        **SETTINGS,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # its workers take 2 GB
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(hosts),
        "_MLFLOW_SERVER_FILE_STORE": uri,
        "_MLFLOW_SERVER_REGISTRY_STORE": uri,
        "_MLFLOW_SGI_NAME": "uvicorn",
        **({"_MLFLOW_SERVER_ARTIFACT_ROOT": artifacts} if artifacts else {}),
    }


def end_with(parent: int) -> None:
    """End this process when the one that started it is gone, however it died."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serve until a signal comes or the parent is gone."""
    host, port, parent, *runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]
    end_with(parent)
    import uvicorn
    from mlflow.server.fastapi_app import app

    hosts = os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    application = Pages(app, Path(runs[0]), hosts) if runs else app
    uvicorn.run(SameOrigin(application), host=host, port=port, log_level="warning")


if __name__ == "__main__":
    main()
