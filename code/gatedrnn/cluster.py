"""Calls on an existing Dask cluster: each result once, whatever becomes of the workers.

Dask is an extra of the package, ``gatedrnn[cluster]``; nothing here is imported unless a scheduler is named.
"""

import functools
import hashlib
import itertools
import queue
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import gatedrnn

PATIENCE = 60.0  # seconds without any worker until a run gives up
CONNECT = 10.0  # seconds to reach the scheduler
RETRIES = 3  # of a call whose worker was lost
AHEAD = 4  # calls in flight for each thread of the cluster


class ClusterError(RuntimeError):
    """The cluster cannot do it; the message is one sentence that says why and what to do."""


@functools.cache
def edition() -> str:
    """Hash of the package's source, which all machines of a run have to share."""
    total, package = hashlib.sha256(), Path(gatedrnn.__file__).parent
    for path in sorted(package.rglob("*.py")):
        total.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def call_if_same(wanted: str, function: Callable, arguments: tuple):
    """Run on a worker: call the function if this machine has the same edition of the package."""
    if edition() != wanted:
        import socket

        raise ClusterError(
            f"the worker on {socket.gethostname()} has another edition of gatedrnn; install the same there"
        )
    return function(*arguments)


class Cluster:
    """The workers of a scheduler that somebody has started.

    Parameters
    ----------
    address : str
        ``"tcp://host:8786"``.

    Raises
    ------
    ClusterError
        If Dask is not installed here, or no scheduler answers.
    """

    def __init__(self, address: str):
        try:
            from distributed import Client
        except ImportError:
            raise ClusterError("a scheduler needs Dask: pip install 'gatedrnn[cluster]'") from None
        try:
            self.client = Client(address, timeout=CONNECT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ClusterError(
                f"no Dask scheduler answers at {address} ({type(error).__name__}); "
                "expected an address such as tcp://host:8786"
            ) from None
        self.address = address

    def close(self) -> None:
        """Let go of the scheduler; what is still running there is dropped."""
        self.client.close()

    def run(self, function: Callable, calls: list[tuple]) -> Iterator[tuple[int, object]]:
        """Call the function once for each tuple of arguments, anywhere.

        A call whose worker is lost is made again elsewhere. Of one that fails the exception is yielded in
        place of the result.

        Yields
        ------
        place, result
            In the order in which they are done, each place once.

        Raises
        ------
        ClusterError
            If the scheduler is lost, or all workers are.
        """
        done: queue.Queue = queue.Queue()
        places, waiting = {}, enumerate(calls)
        watch = Watch(self)
        while True:
            for place, arguments in itertools.islice(waiting, max(0, watch.room() - len(places))):
                future = self._submit(function, arguments)
                places[future] = place
                future.add_done_callback(done.put)
            if not places:
                return
            try:
                future = done.get(timeout=1.0)
            except queue.Empty:
                watch.look(len(places))
                continue
            yield places.pop(future), self._result(future)

    def _submit(self, function: Callable, arguments: tuple):
        return self.client.submit(
            call_if_same,
            edition(),
            function,
            arguments,
            key=f"gatedrnn-{uuid.uuid4()}",
            pure=False,
            retries=RETRIES,
        )

    def _result(self, future):
        from distributed import CancelledError

        try:
            return future.result(timeout=CONNECT)
        except CancelledError:
            raise ClusterError(f"the scheduler at {self.address} is gone; {AGAIN}") from None
        except Exception as error:
            return error


AGAIN = "start it and give the same command again"


class Watch:
    """Notices that a scheduler, or every worker of it, is gone."""

    def __init__(self, cluster: Cluster):
        self.cluster, self.seen = cluster, time.monotonic()

    def room(self) -> int:
        """How many calls may be under way."""
        return AHEAD * max(1, self._threads())

    def _threads(self) -> int:
        workers = self.cluster.client.scheduler_info(n_workers=-1).get("workers", {})
        return sum(worker["nthreads"] for worker in workers.values())

    def look(self, count: int) -> None:
        """Raise an error if nobody has been there to work for a while."""
        if self.cluster.client.status != "running":
            raise ClusterError(f"the scheduler at {self.cluster.address} is gone; {AGAIN}")
        if self._threads():
            self.seen = time.monotonic()
        elif time.monotonic() - self.seen > PATIENCE:
            raise ClusterError(
                f"the scheduler at {self.cluster.address} has had no worker for {PATIENCE:.0f} s while "
                f"{count} calls wait; start workers and give the same command again"
            )
