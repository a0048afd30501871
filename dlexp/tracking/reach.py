"""Whether a server gives a sign of life, in bounded time: MLflow's own client finds out in minutes."""

import urllib.error
import urllib.request
from http.client import HTTPException
from threading import Thread
from urllib.parse import SplitResult, urlsplit

from dlexp.config.source.environment import redact
from dlexp.error import EnvironmentFault, first_line

_SCHEMES = ("http", "https")
_HEALTH = "health"
_PLACES = (_HEALTH, "api/2.0/mlflow/experiments/search?max_results=1")  # the second asks the server's database
_READ = 1000  # bytes of an answer that are looked at
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
        if fault := _fault(f"{base}/{place}", name, timeout, is_document=place != _HEALTH):
            faults.append(fault)
            return


def _fault(address: str, name: str, timeout: float, *, is_document: bool) -> EnvironmentFault | None:
    try:
        # longer than the caller waits, so that its word comes first
        with urllib.request.urlopen(address, timeout=timeout + 1) as answer:
            is_expected = not is_document or answer.read(_READ).lstrip().startswith(b"{")
    except urllib.error.HTTPError as error:
        error.close()
        if 400 <= error.code < 500:  # a right or a page is missing, which MLflow's client has the words for
            return None
        reason, cure = first_line(ValueError(error.reason)).rstrip("."), f"look at its log, or {_ANOTHER}"
        return EnvironmentFault(f"{name}: no answer but status {error.code} {reason}; {cure}")
    except (OSError, ValueError, HTTPException) as error:
        return EnvironmentFault(f"no answer from {name}: {redact(_reason(error))}; start it, or {_ANOTHER}")
    return None if is_expected else EnvironmentFault(f"{name}: answers, but not as MLflow does; {_ANOTHER}")


def _reason(error: Exception) -> str:
    """Return why there was no connection, in one line."""
    told = getattr(error, "reason", error)
    return getattr(told, "strerror", None) or first_line(told)
