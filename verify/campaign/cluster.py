"""A campaign on a cluster of Dask: connecting, who may work, and what happens when it is lost.

Main definition: `connected`, whose executor `run_campaign` takes.  The workers must have the same
versions, the same code and the same files of claims as this machine; each that differs is refused.
Dask gives the shards of a worker that dies to another one, so nothing of a campaign is lost.
"""

from __future__ import annotations

import logging
import pickle
import platform
import re
import signal
import socket
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, InvalidStateError
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib import metadata
from multiprocessing import resource_tracker
from typing import Any

from ..binding.claims import Claim
from .courier import RefusedError, compare, passport, serve
from .tasks import SHIPPED, Task, place

_CONNECTING = 10.0
"""Seconds to wait for the scheduler, and for a first worker.  More keeps the user waiting for an
address that is wrong; less would give up a scheduler that is busy, or workers about to start."""

_LONELY = 60.0
"""Seconds that a run waits without any worker.  More keeps a run waiting for a cluster that is
gone; less would end it while a batch system starts the next workers."""

_LOOK = 2.0
"""Seconds between two looks at how many workers there are."""

_SERVERS = ("scheduler", "worker")
_EXAMPLES = "give HOST:PORT of a scheduler, such as 10.0.0.5:8786, or local:4 for a trial here"

_HOST = re.compile(r"((tcp|tls)://)?([\w.-]+|\[[0-9a-fA-F:.%]+\])")


class ClusterError(Exception):
    """A cluster that cannot be used; nothing was begun on it."""


def local_size(address: str) -> int | None:
    """Workers of an address such as ``local:4``; None for the address of a scheduler.

    Raises
    ------
    ClusterError: if the address is neither, or the extra ``cluster`` is not installed.
    """
    scheme, _, number = address.rpartition(":")
    if not re.fullmatch("[0-9]{1,5}", number, re.ASCII) or not scheme:
        raise ClusterError(f"cannot read the address {address!r} of a cluster; {_EXAMPLES}")
    greatest = 1024 if scheme == "local" else 65535
    if not 1 <= int(number) <= greatest:
        what = "number of workers" if scheme == "local" else "port"
        raise ClusterError(f"the {what} in {address!r} is not from 1 to {greatest}; {_EXAMPLES}")
    if scheme != "local" and not _HOST.fullmatch(scheme):
        raise ClusterError(f"cannot read the address {address!r} of a cluster; {_EXAMPLES}")
    try:
        metadata.version("distributed")
    except metadata.PackageNotFoundError as error:
        raise ClusterError(
            "--cluster needs Dask, which is not installed; pip install 'holdfast[cluster]'"
        ) from error
    return int(number) if scheme == "local" else None


@contextmanager
def connected(address: str, claims: Iterable[Claim]) -> Iterator[Cluster]:
    """The executor of a cluster whose workers have all that we have; leaves it at the end.

    address: as `local_size` reads it; claims: that will be examined.

    Raises
    ------
    ClusterError: if the address is malformed, nothing answers there, or a worker is refused.
    """
    size = local_size(address)
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        target = address if size is None else stack.enter_context(_trial(size))
        client = _client(address, target)
        stack.callback(_leave, client)
        files = tuple(sorted({place(claim) for claim in claims} - {SHIPPED}))
        ours = passport(files)
        try:
            _admit(client, address, ours, files)
        except RefusedError as error:
            raise ClusterError(str(error)) from error
        cluster = Cluster(client, address, partial(serve, ours, files))
        stack.callback(cluster.shutdown)
        yield cluster


class Cluster(Executor):
    """The executor; `jobs` is the number of shards that the cluster can work on now.

    A future of it holds what the task gave.  Whatever else happens, such as a worker that is
    refused or a scheduler that is gone, is a BrokenExecutor that says so.
    """

    def __init__(self, client: Any, address: str, serve: Callable[[bytes], Any]) -> None:
        self._client, self._address, self._serve = client, address, serve
        self._inner = client.get_executor(pure=False)
        self._pending: set[Future[Any]] = set()
        self._left = threading.Event()
        self.jobs = self._threads()
        threading.Thread(target=self._watch, daemon=True).start()

    def submit(  # type: ignore[override]
        self, function: Callable[[Task], Any], task: Task, /
    ) -> Future[Any]:
        """Have a worker call the function on the task, in a process of its own."""
        outer: Future[Any] = Future()
        self._pending.add(outer)
        parcel = pickle.dumps((function, task))
        try:
            inner = self._inner.submit(self._serve, parcel)
        except Exception as error:  # of a client that has given up its scheduler
            raise self._lost(f"takes no more shards ({error})") from error
        inner.add_done_callback(partial(self._hand_over, outer))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the watch; the cluster and its client are not ours."""
        del wait, cancel_futures
        self._left.set()

    def _hand_over(self, outer: Future[Any], inner: Future[Any]) -> None:
        self._pending.discard(outer)
        with suppress(InvalidStateError):  # cancelled, or given up
            try:
                outer.set_result(inner.result())
            except CancelledError:
                gone = self._client.status != "running"
                what = "has lost its scheduler" if gone else "has cancelled a shard"
                outer.set_exception(self._lost(what))
            except BrokenExecutor as error:
                outer.set_exception(error)
            except Exception as error:
                what = f"could not run a shard ({type(error).__name__}: {error})"
                outer.set_exception(self._lost(what))

    def _lost(self, what: str) -> BrokenExecutor:
        return BrokenExecutor(f"the cluster at {self._address} {what}")

    def _threads(self) -> int:
        return sum(self._client.nthreads().values())

    def _watch(self) -> None:
        """Give up what is in flight when there has been no worker for long."""
        lonely = 0.0
        while not self._left.wait(_LOOK) and lonely < _LONELY:
            with suppress(Exception):  # a scheduler that is gone has cancelled all already
                found = self._threads()
                self.jobs = found or self.jobs
                lonely = 0.0 if found else lonely + _LOOK
        while self._pending and not self._left.is_set():
            with suppress(InvalidStateError, KeyError):  # one landed meanwhile
                self._pending.pop().set_exception(
                    self._lost(f"has had no worker for {_LONELY:.0f} s")
                )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what Dask logs, and warns of: what matters is said in an error of ours."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            for module in ("distributed", "dask", "tornado"):
                warnings.filterwarnings("ignore", module=module)
            yield
    finally:
        logging.disable(before)


@contextmanager
def _trial(size: int) -> Iterator[Any]:
    """A cluster of so many workers on this machine, which shows no pages to a browser."""
    import dask
    from distributed import LocalCluster

    resource_tracker.ensure_running()  # when it starts, it lets Ctrl-C through again
    with ExitStack() as stack:
        scratch = stack.enter_context(
            # short, for the names of sockets, which lie in it, are
            tempfile.TemporaryDirectory(prefix="hf-", ignore_cleanup_errors=True)
        )
        nothing: dict[str, Any] = {f"distributed.{who}.http.routes": [] for who in _SERVERS}
        stack.enter_context(dask.config.set({"temporary-directory": scratch, **nothing}))
        # blocked in all that is started here, and in workers that are started again: a Ctrl-C is
        # for us to handle, and waits until the workers stand
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            cluster = LocalCluster(
                n_workers=size,
                threads_per_worker=1,
                memory_limit=None,
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
                env={"TMPDIR": scratch},  # what a killed worker leaves there goes as well
            )
            stack.callback(_leave, cluster)
        except Exception as error:
            raise ClusterError(f"cannot start {size} workers here ({error}); try fewer") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield cluster


def _knock(address: str) -> None:
    """Raises ClusterError unless a scheduler may be there.  Dask itself goes on trying where it is
    turned away, and waits for ever where a server of another kind listens and is silent."""
    scheme, _, place = address.rpartition("://")
    host, _, port = place.rpartition(":")
    remedy = "start a scheduler with `dask scheduler`, or see whether a firewall lies between"
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _CONNECTING) as door:
            length = 1 if scheme == "tls" else int.from_bytes(door.recv(8), "little")
    except OSError as error:
        raise ClusterError(f"nothing answers at {address} ({error}); {remedy}") from error
    if not 0 < length < 2**20:  # of its first message, which is some hundred bytes long
        raise ClusterError(f"what answers at {address} is no scheduler of Dask; {remedy}")


def _client(address: str, target: Any) -> Any:
    from distributed import Client, Security

    if target is address:
        _knock(address)
    if address.startswith("tls:") and not Security().get_connection_args("client")["ssl_context"]:
        raise ClusterError(
            f"{address} needs certificates, and Dask's configuration names none; set "
            "distributed.comm.tls, as Dask's documentation on TLS says"
        )
    try:
        return Client(target, timeout=_CONNECTING, set_as_default=False)
    except Exception as error:
        raise ClusterError(f"no scheduler of Dask answers at {address}: {error}") from error


def _leave(connection: Any) -> None:
    with suppress(Exception):  # what is found is in the store, however the rest ends
        connection.close(timeout=_CONNECTING)


def _admit(client: Any, address: str, ours: Mapping[str, str], files: tuple[str, ...]) -> None:
    """Raises RefusedError if a worker differs, ClusterError if there is none.

    The first questions are put to Python's own library, which a worker has whatever it lacks.
    """
    try:
        client.wait_for_workers(1, timeout=_CONNECTING)
    except Exception as error:
        raise ClusterError(
            f"the cluster at {address} has no worker; start some with `dask worker {address}`"
        ) from error
    first: dict[str, Callable[[], str]] = {
        "python": platform.python_version,
        "holdfast": partial(metadata.version, "holdfast"),
    }
    for name, ask in first.items():
        for worker, answer in client.run(ask, on_error="return").items():
            theirs = "absent" if isinstance(answer, BaseException) else answer
            compare({name: ask()}, {name: theirs}, worker)
    for worker, answer in client.run(passport, files, on_error="return").items():
        failed = isinstance(answer, BaseException)  # as where an older state of the code runs
        compare(ours, {**ours, "code of holdfast": repr(answer)} if failed else answer, worker)
