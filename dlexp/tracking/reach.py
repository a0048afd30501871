"""Whether a server gives a sign of life, in bounded time: MLflow's own client finds out in minutes."""

import urllib.error
import urllib.request
from http.client import HTTPException
from threading import Thread
from urllib.parse import SplitResult, urlsplit

from dlexp.config.source.environment import redact
from dlexp.error import EnvironmentFault, first_line

_SCHEMES = ("http", "https")
_PLACES = ("health", "api/2.0/mlflow/experiments/search?max_results=1")  # the second asks the server's database
_ANOTHER = "set tracking.uri to another"


def require_answer(uri: str, name: str, timeout: float) -> None:
    """Ask a server for a sign of life; every other store needs none.

    The timeouts of sockets bound each read alone: a server that sends a letter a second, or a name that is looked up
    for ever, would outlast them. So a thread asks, and is left behind.

    Args:
        uri: The store's address.
        name: The address as it may be shown.
        timeout: Longest wait in seconds, for everything that is asked together.

    Raises:
        EnvironmentFault: Nothing answers there in time, or only that it fails.
    """
    url = urlsplit(uri)
    if url.scheme not in _SCHEMES:
        return
    faults: list[EnvironmentFault] = []
    asking = Thread(target=_ask, args=(url, name, timeout, faults), daemon=True)
    asking.start()
    asking.join(timeout)
    if faults:
        raise faults[0]
    if asking.is_alive():
        cure = f"start it anew, allow it more by tracking.timeout, or {_ANOTHER}"
        raise EnvironmentFault(f"no answer from {name} within {timeout:g} s; {cure}")


def _ask(url: SplitResult, name: str, timeout: float, faults: list[EnvironmentFault]) -> None:
    """Ask a server what a store must be able to answer, and note what goes wrong."""
    base = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"
    for place in _PLACES:
        if fault := _fault(f"{base}/{place}", name, timeout):
            faults.append(fault)
            return


def _fault(address: str, name: str, timeout: float) -> EnvironmentFault | None:
    try:
        urllib.request.urlopen(address, timeout=timeout + 1).close()  # the caller waits no longer than `timeout`
    except urllib.error.HTTPError as error:
        error.close()
        cure = f"look at its log, or {_ANOTHER}"
        failing = EnvironmentFault(f"{name}: no answer but status {error.code} {error.reason}; {cure}")
        return failing if error.code >= 500 else None
    except (OSError, ValueError, HTTPException) as error:
        return EnvironmentFault(f"no answer from {name}: {redact(_reason(error))}; start it, or {_ANOTHER}")
    return None


def _reason(error: Exception) -> str:
    """Return why there was no connection, in one line."""
    told = getattr(error, "reason", error)
    return getattr(told, "strerror", None) or first_line(told)
