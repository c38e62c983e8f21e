"""Workers: any number of them, of any kind, and what happens when one fails or dies."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from holdfast.verify.binding.claims import Claim, load
from holdfast.verify.campaign import processes
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.run import CampaignError, run_campaign, summary
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.campaign.tasks import Task
from holdfast.verify.campaign.workers import Workers
from holdfast.verify.engine.examiner import Kind, Shard
from holdfast.verify.engine.ledger import Ledger
from holdfast.verify.store.store import Run, Store

FEW = Budget(models=120)
THEOREM = """
import os
import signal
from fractions import Fraction
from pathlib import Path

from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify.binding.claims import claim
from holdfast.verify.binding.family import Family

x = Quantity("x", "smaller", Domain.NONNEGATIVE)
y = Quantity("y", "larger", Domain.NONNEGATIVE)
fractions = Family(
    "fractions",
    base=lambda draw: Fraction(draw.integer(0, 9), draw.integer(1, 9)),
    landmarks={"one": lambda: (Fraction(1),)},
)
source = Source("the tests", "", Provenance.DERIVED)


def theorem(label):
    return Theorem(label, label, Le(x, y), source)

"""
KILLER = """
@claim(theorem("killed/guilty"), over=fractions)
def _(model):
    if model != 1:
        os.kill(os.getpid(), 9)
    yield {x: model, y: 2 * model}


@claim(theorem("killed/innocent"), over=fractions)
def _(model):
    yield {x: model, y: 2 * model}
"""
ACCIDENT = """
@claim(theorem("killed/accident"), over=fractions)
def _(model):
    if model > 5 and not (flag := Path(__file__).with_suffix(".flag")).exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    yield {x: model, y: 2 * model}
"""
FAULTY = """
@claim(theorem("faulty/claim"), over=fractions)
def _(model):
    yield {x: model, y: 1 / (model - 1)}


@claim(theorem("faulty/family"), over=Family("nothing", base=lambda draw: draw.integer(2, 1)))
def _(model):
    yield {x: model, y: model}


@claim(theorem("faulty/sound"), over=fractions)
def _(model):
    yield {x: model, y: 2 * model}
"""
ENVIRONMENT = """
@claim(theorem("environment/threads"), over=fractions)
def _(model):
    yield {x: 0, y: int(os.environ.get("OMP_NUM_THREADS", 99))}
"""


@pytest.fixture(scope="module")
def claims() -> tuple[Claim, ...]:
    return load(Path(__file__).with_name("campaign_material.py"))


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open(":memory:") as opened:
        yield opened


def written(folder: Path, text: str) -> tuple[Claim, ...]:
    file = folder / "written.py"
    file.write_text(THEOREM + text)
    return load(file)


def outcome(run: Run) -> list[tuple[Any, ...]]:
    """All of the results but the time they took."""
    return [(r.shard, r.findings, r.kills, r.models, r.error) for r in run.results()]


def test_a_changed_file_of_claims_starts_afresh(tmp_path: Path, store: Store) -> None:
    claims = written(tmp_path, FAULTY.replace("faulty", "changed"))[-1:]
    runs = [run_campaign(claims, budget=FEW, seed=1, store=store)]
    Path(claims[0].file).write_text(Path(claims[0].file).read_text() + "# another family\n")
    runs.append(run_campaign(claims, budget=FEW, seed=1, store=store))
    assert runs[0].fingerprint != runs[1].fingerprint


@pytest.mark.parametrize("jobs", [1, 2])
def test_faulty_claims_end_alone(tmp_path: Path, store: Store, jobs: int) -> None:
    claims = written(tmp_path, FAULTY.replace("faulty", f"faulty{jobs}"))
    run = run_campaign(claims, budget=Budget(models=1000), seed=1, store=store, jobs=jobs)
    found = summary(run, claims)
    claim, family, sound = found.claims
    assert (
        "ZeroDivisionError" in claim.error and f"faulty{jobs}/claim on landmark:one" in claim.error
    )
    assert f"faulty{jobs}/family on drawn:0: the family raised ValueError" in family.error
    assert "ValueError: cannot draw an integer from the empty interval [2, 1]" in family.error
    assert not sound.error and sound.models == 1001
    assert found.exit_code is ExitCode.BAD_USAGE
    assert sum(result.shard.claim == claims[0].name for result in run.results()) <= 2 * jobs + 1


def test_a_killed_worker_is_the_fault_of_one_claim(tmp_path: Path, store: Store) -> None:
    claims = written(tmp_path, KILLER)
    run = run_campaign(claims, budget=Budget(models=200), seed=1, store=store, jobs=2)
    guilty, innocent = summary(run, claims).claims
    assert "killed/guilty, shard drawn, 50 cases from" in guilty.error
    assert "killed its worker, twice" in guilty.error
    assert guilty.findings == 1, "its landmark is kept"
    assert not innocent.error and innocent.models == 201 and run.finished


def test_a_worker_killed_by_accident_is_forgiven(tmp_path: Path, store: Store) -> None:
    claims = written(tmp_path, ACCIDENT)
    run = run_campaign(claims, budget=Budget(models=200), seed=1, store=store, jobs=2)
    assert Path(claims[0].file).with_suffix(".flag").exists()
    with Store.open(":memory:") as other:
        quiet = run_campaign(claims, budget=Budget(models=200), seed=1, store=other)
        assert outcome(run) == outcome(quiet)
    assert not any(result.error for result in run.results())


def test_workers_run_on_one_thread(tmp_path: Path, store: Store) -> None:
    before = dict(os.environ)
    claims = written(tmp_path, ENVIRONMENT)
    run = run_campaign(claims, budget=Budget(models=50), seed=1, store=store, jobs=2)
    threads = {one.values["y"] for result in run.results() for one in result.findings}
    assert threads == {"1"}
    assert dict(os.environ) == before


def test_a_claim_that_workers_cannot_load(tmp_path: Path, store: Store) -> None:
    claims = written(tmp_path, KILLER.replace("killed", "gone"))[1:]
    Path(claims[0].file).unlink()
    run = run_campaign(claims, budget=FEW, seed=1, store=store, jobs=2)
    (found,) = summary(run, claims).claims
    assert "a worker cannot load the claim: no such file of claims" in found.error


def test_any_executor(claims: tuple[Claim, ...], store: Store) -> None:
    here = run_campaign(claims, budget=FEW, seed=3, store=store)
    with ProcessPoolExecutor(1) as executor:
        there = run_campaign(claims, budget=FEW, seed=3, store=store, executor=executor)
        assert executor.submit(int, 1).result() == 1, "it is not ours to shut down"
    assert here.id != there.id
    assert outcome(here) == outcome(there)


class Refusing(Executor):
    """Cancels, or fails, every task."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.error is None:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(self.error)
        return future


def test_an_executor_that_breaks(claims: tuple[Claim, ...], store: Store) -> None:
    with pytest.raises(CampaignError, match="cancelled a shard: 0 shards were finished"):
        run_campaign(claims, budget=FEW, seed=3, store=store, executor=Refusing())


def test_an_executor_that_loses_shards(claims: tuple[Claim, ...], store: Store) -> None:
    lost = Refusing(RuntimeError("worker lost"))
    run = run_campaign(claims[:1], budget=FEW, seed=3, store=store, executor=lost)
    (found,) = summary(run, claims[:1]).claims
    assert "its worker failed: RuntimeError: worker lost" in found.error


def test_shards_in_flight_are_bounded(claims: tuple[Claim, ...]) -> None:
    """Tasks are taken when there is room, so that a faulty claim is dropped in time."""
    taken = 0

    def tasks() -> Iterator[Task]:
        nonlocal taken
        for first in range(40):
            taken += 1
            shard = Shard(claims[0].name, Kind.DRAWN, first, 1, 1)
            yield Task(shard, claims[0].file, Ledger())

    with ProcessPoolExecutor(2) as executor, Workers(2, executor) as workers:
        for count, _ in enumerate(workers.stream(tasks()), start=1):
            assert taken <= count + 4


def test_a_signal_waits_until_a_worker_is_started() -> None:
    """Of a worker that is half started nobody would know, and its complaint would be printed."""
    done = []
    with pytest.raises(KeyboardInterrupt), processes.undisturbed():
        signal.raise_signal(signal.SIGINT)
        done.append("started")
    assert done == ["started"]
    with processes.undisturbed():  # the control
        done.append("again")
    assert done == ["started", "again"]
