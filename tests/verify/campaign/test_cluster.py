"""A cluster of Dask: the same findings as one process, whoever dies, and who may not take part."""

import os
import pickle
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import dask
import distributed
import psutil
import pytest

from holdfast.verify.binding.claims import Claim, load
from holdfast.verify.campaign import cluster
from holdfast.verify.campaign.cluster import Cluster, ClusterError, connected, local_size
from holdfast.verify.campaign.courier import RefusedError, compare, passport, serve
from holdfast.verify.campaign.run import CampaignError, Progress, run_campaign
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.campaign.tasks import Task, work
from holdfast.verify.engine.examiner import Kind, Shard
from holdfast.verify.engine.ledger import Ledger
from holdfast.verify.store.store import Run, Store

from ..conftest import Invoke

MATERIAL = Path(__file__).with_name("campaign_material.py")
FEW = Budget(models=60)
SLEEPER = """
import time
from fractions import Fraction
from pathlib import Path

from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify.binding.claims import claim
from holdfast.verify.binding.family import Family

x = Quantity("x", "smaller", Domain.NONNEGATIVE)
y = Quantity("y", "larger", Domain.NONNEGATIVE)
numbers = Family("numbers", base=lambda draw: Fraction(draw.integer(0, 9), draw.integer(1, 9)))
source = Source("the tests", "", Provenance.DERIVED)


@claim(Theorem("sleeps/on", "Sleeps on", Le(x, y), source), over=numbers)
def _(model):
    Path(__file__).with_suffix(".asleep").touch()
    time.sleep(600)
    yield {x: model, y: 2 * model}


@claim(Theorem("sleeps/not", "Is awake", Le(x, y), source), over=numbers)
def _(model):
    yield {x: model, y: 2 * model}
"""


@pytest.fixture(scope="module")
def claims() -> tuple[Claim, ...]:
    return load(MATERIAL)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open(":memory:") as opened:
        yield opened


@pytest.fixture(scope="module")
def alone(claims: tuple[Claim, ...]) -> list[tuple[Any, ...]]:
    """What one process finds."""
    with Store.open(":memory:") as opened:
        return outcome(run_campaign(claims, budget=FEW, seed=3, store=opened))


@pytest.fixture(scope="module", autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Dask, here and in processes of its own, leaves its files."""
    folder = str(tmp_path_factory.mktemp("dask"))
    with pytest.MonkeyPatch.context() as patch, dask.config.set({"temporary-directory": folder}):
        patch.setenv("DASK_TEMPORARY_DIRECTORY", folder)
        yield


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Of a cluster within this process, which starts at once; shards run in processes as ever."""
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0"
    ) as inside:
        yield inside


@contextmanager
def within(client: Any, claims: tuple[Claim, ...], **changes: str) -> Iterator[Cluster]:
    files = tuple({claim.file for claim in claims})
    ours = passport(files) | changes
    with Cluster(client, "here", partial(serve, ours, files)) as executor:
        yield executor


def outcome(run: Run) -> list[tuple[Any, ...]]:
    """All of the results, every column of a finding included, but the time they took."""
    return [(r.shard, r.findings, r.kills, r.models, r.error) for r in run.results()]


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("address", "size"),
    [
        ("local:4", 4),
        ("host:8786", None),
        ("tcp://10.0.0.5:8786", None),
        ("tls://a-b.example.org:8786", None),
        ("[::1]:8786", None),
    ],
)
def test_addresses(address: str, size: int | None) -> None:
    assert local_size(address) == size


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "cannot read the address '' of a cluster"),
        ("host", "cannot read the address 'host'"),
        (":8786", "cannot read the address ':8786'"),
        ("local:", "cannot read the address 'local:'"),
        ("http://host:80", "cannot read the address 'http://host:80'"),
        ("a host:80", "cannot read the address 'a host:80'"),
        ("local:0", "the number of workers in 'local:0' is not from 1 to 1024"),
        ("local:1025", "the number of workers in 'local:1025' is not from 1 to 1024"),
        ("host:0", "the port in 'host:0' is not from 1 to 65535"),
        ("host:65536", "the port in 'host:65536' is not from 1 to 65535"),
    ],
)
def test_addresses_that_are_none(address: str, reason: str) -> None:
    with pytest.raises(ClusterError, match=re.escape(reason) + ".*such as 10.0.0.5:8786, or local"):
        local_size(address)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(cluster.metadata, "version", absent)
    with pytest.raises(ClusterError, match=r"pip install 'holdfast\[cluster\]'"):
        local_size("local:2")


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (None, "nothing answers at .*refused.*start a scheduler"),
        (b"", "nothing answers at .*timed out"),
        (b"SSH-2.0-OpenSSH", "what answers at .* is no scheduler of Dask"),
    ],
)
def test_nobody_is_there(
    claims: tuple[Claim, ...], monkeypatch: pytest.MonkeyPatch, greeting: bytes | None, reason: str
) -> None:
    monkeypatch.setattr(cluster, "_CONNECTING", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        if greeting is None:
            server.close()
        elif greeting:
            threading.Thread(target=lambda: server.accept()[0].send(greeting), daemon=True).start()
        with pytest.raises(ClusterError, match=reason), connected(address, claims):
            pass


def test_the_command_refuses_at_once(holdfast: Invoke, tmp_path: Path) -> None:
    label = "cmdp/strong-duality"
    both = holdfast("verify", label, "--cluster", "local:2", "--jobs", 2)
    assert both.code == 64 and "--jobs has no effect with --cluster" in both.output
    malformed = holdfast("verify", label, "--cluster", "local")
    assert malformed.code == 64 and "cannot read the address 'local'" in malformed.output
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    gone = holdfast("verify", label, "--cluster", address, "--store", tmp_path / "store.sqlite")
    assert gone.code == 64 and f"nothing answers at {address}" in gone.output
    assert Store.open(tmp_path / "store.sqlite").runs() == ()


def test_certificates_are_missing(
    claims: tuple[Claim, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_CONNECTING", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tls://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ClusterError, match="needs certificates"), connected(address, claims):
            pass


def test_a_passport_names_what_differs(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("x = 1\n")
    ours = passport([str(mine)])
    assert {"python", "holdfast", "numpy", "sympy", "distributed", "code of holdfast"} < ours.keys()
    compare(ours, passport([str(mine)]), "tcp://a:1")
    mine.write_text("x = 2\n")
    with pytest.raises(RefusedError, match=rf"a:1 is .*{mine}: sha256 \w+ there, sha256 \w+ h"):
        compare(ours, passport([str(mine)]), "tcp://a:1")
    mine.unlink()
    with pytest.raises(RefusedError, match=r"mine.py: unreadable \(No such file .*\) there"):
        compare(ours, passport([str(mine)]), "tcp://a:1")
    with pytest.raises(RefusedError, match=r"numpy: 0.1 there, 2.* here; .*sympy: absent there"):
        compare({"numpy": "2.4", "x": "1", "sympy": "1.14"}, {"numpy": "0.1", "x": "1"}, "w")


def test_a_cluster_finds_what_one_process_finds(
    client: Any, claims: tuple[Claim, ...], alone: list[tuple[Any, ...]], store: Store
) -> None:
    with within(client, claims) as executor:
        assert executor.jobs == 2

        def resize(news: Progress) -> None:
            executor.jobs = (4, 1)[news.done % 2]  # a cluster grows and shrinks

        run = run_campaign(
            claims, budget=FEW, seed=3, store=store, executor=executor, progress=resize
        )
    assert outcome(run) == alone
    assert {found[0].kind for found in alone} == {Kind.LANDMARKS, Kind.CONTROL, Kind.DRAWN}


def test_a_worker_that_differs_ends_the_run(
    client: Any, claims: tuple[Claim, ...], store: Store
) -> None:
    with (
        within(client, claims, numpy="0.1") as executor,
        pytest.raises(CampaignError, match=r"numpy: 2\S+ there, 0.1 here\).*0 shards were finish"),
    ):
        run_campaign(claims, budget=FEW, seed=3, store=store, executor=executor)


def test_a_case_that_does_not_end(client: Any, tmp_path: Path) -> None:
    """The limit of time of a case holds; a shard that nobody wants any more ends at once."""
    file = tmp_path / "sleeper.py"
    file.write_text(SLEEPER)
    sleeper, awake = load(file)
    asleep = file.with_suffix(".asleep")

    def task(claim: Claim, seconds: float | None) -> Task:
        shard = Shard(claim.name, Kind.DRAWN, 0, 2, 1, seconds=seconds)
        return Task(shard, claim.file, Ledger())

    with within(client, (sleeper,)) as executor:
        late = executor.submit(work, task(sleeper, 0.2)).result(timeout=60)
        assert "sleeps/on on drawn:0" in late.error and "not ended after 0.2 s" in late.error
        asleep.unlink()
        inner = client.submit(
            serve,
            passport((str(file),)),
            (str(file),),
            pickle.dumps((work, task(sleeper, None))),
            pure=False,
        )
        wait_until(asleep.exists)
        inner.cancel()
        # both threads of the worker are free again
        for future in [executor.submit(work, task(awake, None)) for _ in range(4)]:
            assert future.result(timeout=60).models == 2


def test_no_worker_is_left(
    client: Any, claims: tuple[Claim, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_LOOK", 0.05)
    monkeypatch.setattr(cluster, "_LONELY", 0.2)
    task = Task(Shard(claims[0].name, Kind.DRAWN, 0, 2, 1), claims[0].file, Ledger())
    with within(client, claims) as executor:
        monkeypatch.setattr(executor, "_threads", lambda: 0)
        monkeypatch.setattr(executor, "_serve", lambda parcel: time.sleep(1))
        future = executor.submit(work, task)
        with pytest.raises(Exception, match="the cluster at here has had no worker for 0 s"):
            future.result(timeout=20)


def planted(folder: Path, name: str, version: str) -> Path:
    """A folder in which Python finds another version of a package."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


@contextmanager
def started(*arguments: str, path: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A scheduler or a worker of its own, ended at the end."""
    environment = dict(os.environ, **({} if path is None else {"PYTHONPATH": str(path)}))
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def scheduler() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    settings = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    with started("scheduler", *settings) as process:
        yield f"127.0.0.1:{port}", process


def worker(address: str, folder: Path, **settings: Any) -> Any:
    place = ("--local-directory", str(folder), "--no-dashboard", "--no-nanny", "--nthreads", "1")
    return started("worker", address, *place, **settings)


@pytest.mark.slow
def test_a_worker_with_another_version_is_refused(
    claims: tuple[Claim, ...], tmp_path: Path, store: Store
) -> None:
    numpy = planted(tmp_path / "numpy", "numpy", "0.1")
    holdfast = planted(tmp_path / "holdfast", "holdfast", "0.0.1")
    (holdfast / "holdfast.py").write_text("# a version that has nothing of what is asked\n")
    with scheduler() as (address, _):
        wait_until(lambda: answers(address))
        for path, reason in (
            (numpy, "numpy: 0.1 there, 2"),
            (holdfast, "holdfast: 0.0.1 there, 0.1"),
        ):
            with (
                worker(address, tmp_path, path=path),
                pytest.raises(ClusterError, match=rf"tcp://.* is refused.*\({reason}"),
                connected(address, claims),
            ):
                pass
        with worker(address, tmp_path), connected(address, claims) as executor:  # the control
            wait_until(lambda: executor.jobs == 1)

            def another(news: Progress) -> None:
                """One that joins in mid-run, and is then the only one."""
                if news.done == 3:
                    stack.enter_context(worker(address, tmp_path, path=numpy))
                    wait_until(lambda: executor.jobs == 2)

            with (
                ExitStack() as stack,
                pytest.raises(CampaignError, match=r"numpy: 0.1 there, 2.*shards were finished"),
            ):
                run_campaign(
                    claims, budget=Budget(models=5000), seed=3, store=store, executor=executor,
                    progress=another,
                )  # fmt: skip


def answers(address: str) -> bool:
    try:
        cluster._knock(address)
    except ClusterError:
        return False
    return True


@pytest.mark.slow
def test_a_scheduler_that_dies(
    claims: tuple[Claim, ...], alone: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    path = tmp_path / "store.sqlite"
    with Store.open(path) as store:
        with scheduler() as (address, process):
            wait_until(lambda: answers(address))

            def kill(news: Progress) -> None:
                if news.done == 5:
                    process.kill()

            with (
                worker(address, tmp_path),
                pytest.raises(
                    CampaignError, match=rf"{address} has lost its scheduler: .*are kept"
                ),
                connected(address, claims) as executor,
            ):
                run_campaign(
                    claims, budget=FEW, seed=3, store=store, executor=executor, progress=kill
                )
        told: list[Progress] = []
        run = run_campaign(claims, budget=FEW, seed=3, store=store, progress=told.append)
        assert len(store.runs()) == 1 and [one.stored for one in told].count(True) >= 5
        assert outcome(run) == alone


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_a_trial_cluster(
    claims: tuple[Claim, ...],
    alone: list[tuple[Any, ...]],
    store: Store,
    killed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two workers, of which one is killed in mid-shard: nothing is lost, nothing found twice."""
    monkeypatch.setenv("CAMPAIGN_PAUSE", "0.01")  # so that shards take half a second
    with connected("local:2", claims) as executor:
        victim = next(iter(executor._client.run(os.getpid).values()))

        def kill(news: Progress) -> None:
            if killed and news.done == 5:
                os.kill(victim, signal.SIGKILL)

        run = run_campaign(
            claims, budget=FEW, seed=3, store=store, executor=executor, progress=kill
        )
        assert psutil.pid_exists(victim) is not killed
    assert outcome(run) == alone
    with Store.open(":memory:") as other:
        assert outcome(run_campaign(claims, budget=FEW, seed=3, store=other, jobs=2)) == alone


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_on_a_trial_cluster(
    claims: tuple[Claim, ...],
    alone: list[tuple[Any, ...]],
    whole_group: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """One line, no process left, no file but the store; the same command goes on."""
    path, scratch = tmp_path_factory.mktemp("kept") / "store.sqlite", tmp_path_factory.mktemp("t")
    process = subprocess.Popen(
        [sys.executable, "-m", "holdfast", "verify", str(MATERIAL), "--cluster", "local:2",
         "--budget", "60", "--seed", "3", "--store", str(path)],
        env={**os.environ, "CAMPAIGN_PAUSE": "0.01", "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    wait_until(lambda: stored(path) >= 5 or process.poll() is not None)
    children = psutil.Process(process.pid).children(recursive=True)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    out, message = process.communicate(timeout=60)
    assert (process.returncode, out.strip()) == (130, "")
    kept = stored(path)
    assert message.strip() == (
        f"holdfast: interrupted: {kept} finished shards are kept in {path}; "
        "the same command again goes on from there"
    )
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert list(scratch.iterdir()) == []
    with Store.open(path) as store:
        told: list[Progress] = []
        run = run_campaign(claims, budget=FEW, seed=3, store=store, progress=told.append)
        assert len(store.runs()) == 1 and [one.stored for one in told].count(True) == kept
        assert outcome(run) == alone


def stored(path: Path) -> int:
    """Shards that another process has stored so far."""
    with closing(sqlite3.connect(path)) as raw:
        try:
            return int(raw.execute("SELECT count(*) FROM shards").fetchone()[0])
        except sqlite3.OperationalError:  # the schema is being written
            return 0
