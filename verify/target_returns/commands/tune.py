"""``holdfast tune``: a program's targets, tuned by evaluating only what is certified as safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from holdfast.solvers.errors import ModelError
from holdfast.solvers.target_returns import Proposal, Tuner
from holdfast.solvers.target_returns.gaussian.checks import Floats, Indices
from holdfast.solvers.target_returns.gaussian.kernels import FAMILIES
from holdfast.solvers.target_returns.tuning.assumptions import shown
from holdfast.solvers.target_returns.tuning.problem import STAGED
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.numbers import count

from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import Time, Whole, json_option, plot_option, refuse_idle
from ...terminal.targets import check_picture, check_targets, make_folder
from .journal import Journal, open_journal
from .program import ObservationError, Program
from .question import Options, basis_of_reward, conditions, head_of, promise, tuning_of
from .tables import Table, read_grid, read_observations

_EVALUATIONS = Whole(0, 100_000)
"""Each keeps a row as long as the grid, so that more fill the memory."""
_SHAPE = "MEAN DEVIATION NOISE"


@dataclass
class Run:
    """A tuning under way. since: int[N], the evaluation after which each target was certified, -1
    for those that are not; recorded: rewards and costs (2, N) of a table; failures: attempts of the
    program that gave no observation."""

    tuner: Tuner
    grid: Table
    console: Console
    recorded: Floats | None
    since: Indices = field(init=False)
    failures: int = 0

    def __post_init__(self) -> None:
        self.since = np.where(self.tuner.safe, 0, -1)

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, highlight=False)

    def name(self, index: int) -> str:
        """The target with its coordinates."""
        return f"target {index} ({output.plain(self.grid.place(index))})"

    def tell(self, proposal: Proposal, reward: float, cost: float) -> None:
        """Take in an observation; raises ModelError where it is none, and nothing is taken in."""
        try:
            self.tuner.tell(proposal, reward, cost)
        except ModelError:
            if self.tuner.refuted is None:
                raise
        self.since[self.tuner.safe & (self.since < 0)] = len(self.tuner.history)

    def recall(self, proposal: Proposal) -> tuple[float, float]:
        """Reward and cost by the table, which the tuner has been told."""
        assert self.recorded is not None
        reward, cost = self.recorded[:, proposal.index].tolist()
        self.tell(proposal, reward, cost)
        return reward, cost

    def drive(self, evaluate: Callable[[Proposal], tuple[float, float]]) -> None:
        """Evaluate what is proposed until nothing is, saying why it is safe and what came out."""
        while (proposal := self.tuner.ask()) is not None:
            number = len(self.tuner.history) + 1
            place = output.plain(self.grid.place(proposal.index))
            self.say(f"[bold]{number}. {proposal.phase}, {place}[/bold]: {proposal.reason}")
            reward, cost = evaluate(proposal)
            above = ", above the limit" if cost > self.tuner.tuning.limit else ""
            certified = count(int(self.tuner.safe.sum()), "target")
            self.say(f"   reward {reward:g}, cost {cost:g}{above}; {certified} certified")


@click.command(name="tune")
@click.option("--observe", metavar="CMD", help="Program that is run for each evaluation, without a "
              "shell. {column} in its words becomes that coordinate of the target; without such "
              "words the coordinates are appended. Its last line must be JSON such as "
              '{"reward": 412.5, "cost": 11}.')  # fmt: skip
@click.option("--replay", metavar="FILE", help="In place of a program and a grid: a .csv table of "
              "what was observed, with columns for the target, reward and cost.")  # fmt: skip
@click.option("--grid", help="All targets: a .csv file, one a line, or ranges FIRST:LAST:NUMBER "
              "such as return=100:600:26,budget=0:50:11. Without a line of "
              "names the columns of a file are z1, z2, ...")  # fmt: skip
@click.option("--seeds", required=True, help="Targets that you know to be safe: a file like the "
              "grid's, or their rows there, counted from 0, such as 0,3.")  # fmt: skip
@click.option("--limit", type=float, required=True, help="What no expected cost may exceed.")
@click.option("--cost", type=float, nargs=3, required=True, metavar=_SHAPE, help="Of the expected "
              "costs before anything is observed: mean and standard deviation over targets; and "
              "the standard deviation of one observation. A mean of 0 says that costs are known to "
              "be around 0; at the limit or above, that nothing is known to be safe.")  # fmt: skip
@click.option("--reward", type=float, nargs=3, required=True, metavar=_SHAPE, help="The same of "
              "the rewards; safety does not rest on it.")  # fmt: skip
@click.option("--lengths", required=True, help="How far a target must move for costs to change, "
              "one number a column, such as 300,30: lengths of the kernel.")  # fmt: skip
@click.option("--reward-lengths", help="The same for the rewards, where they differ.")
@click.option("--kernel", type=click.Choice(list(FAMILIES)), default="rbf", show_default=True)
@click.option("--method", type=click.Choice(["pls", "stageopt", "safeopt", "goose", "losbo"]),
              default="pls", show_default=True, help="How the next of the certified targets is "
              "chosen; losbo also certifies without the kernel.")  # fmt: skip
@click.option("--lipschitz", type=float, help="How much the cost may rise per unit of distance: "
              "targets are certified by others. Without it each is by its own bound.")  # fmt: skip
@click.option("--noise-bound", type=float, help="For losbo: the most that an observed cost may "
              "differ from the expected one.")  # fmt: skip
@click.option("--confidence", type=click.Choice(["bayes", "exact", "one-sided"]), default="bayes",
              show_default=True, help="Bounds: PLS's, with exact tails, or from above "
              "alone.")  # fmt: skip
@click.option("--delta", type=float, default=0.05, show_default=True, help="The probability with "
              "which the promise may fail.")  # fmt: skip
@click.option("--cost-range", type=float, nargs=2, metavar="LOW HIGH", help="What no cost, "
              "expected or observed, can leave.")  # fmt: skip
@click.option("--trust-prior", is_flag=True, help="Evaluate targets that are certified by --cost "
              "alone, before anything is observed.")  # fmt: skip
@click.option("--tolerance", type=float, help="Width of a cost's bounds down to which a target is "
              "evaluated to expand. Default: a fifth of the deviation of --cost.")  # fmt: skip
@click.option("--accuracy", type=float, help="Stop when the reward is known to be this close to "
              "the best of what is certified.")  # fmt: skip
@click.option("--evaluations", type=_EVALUATIONS, default=50, show_default=True, help="The most of "
              "all.")  # fmt: skip
@click.option("--journal", default=".holdfast/tune.jsonl", show_default=True, help="Keeps what was "
              "observed; the same command goes on from there.")  # fmt: skip
@click.option("--timeout", type=Time(), default="1h", show_default=True, help="After which a run "
              "of the program is ended.")  # fmt: skip
@click.option("--retries", type=Whole(0, 1000), default=2, show_default=True, help="How often a "
              "failed evaluation is tried again before the tuning stops.")  # fmt: skip
@json_option
@plot_option("costs, the safe set, the bounds and, of a replay, the regret")
def tune_command(**given: Any) -> int:
    """Tune the targets of a program, evaluating only what is certified as safe.

    From seeds on, each observed reward and cost tightens bounds on all targets. What is evaluated
    next has an expected cost of at most the limit by these bounds, and the output says by which.
    What they rest on is printed with the answer.
    """
    options = Options(**given)
    _check(options)
    recorded = None
    if options.replay is not None:
        grid, recorded = read_observations(options.replay)
    else:
        grid = read_grid(options.grid or "")
    run = Run(Tuner(tuning_of(options, grid)), grid, output.console(), recorded)
    if run.tuner.prior is None:
        refuse_idle(["trust_prior"], "has no effect: nothing is certified by --cost alone")
    else:
        run.say(f"[bold red]careful[/bold red]: {run.tuner.prior}")
    _say_promise(run)
    why = None
    if recorded is None:
        why = _observe(run, options)
    else:
        run.drive(run.recall)
    return _finish(run, options, why)


def _check(options: Options) -> None:
    """What can be said before any file is read."""
    if (options.observe is None) == (options.replay is None):
        raise click.BadParameter(
            "give either --observe CMD, to evaluate targets by a program, or --replay FILE, to "
            "take what was observed from a table"
        )
    if options.replay is not None:
        refuse_idle(["grid", "journal", "timeout", "retries"], "has no effect with --replay, which "
                    "runs no program and whose table has the targets; leave it out")  # fmt: skip
    elif options.grid is None:
        raise click.BadParameter("give --grid, the targets that there are: a file, or ranges")
    else:
        make_folder("--journal", Path(options.journal).parent)
    if options.method == "losbo":
        idle = ["delta", "confidence", "trust_prior"]
        refuse_idle(idle, "has no effect on losbo, which is sure; leave it out")
    check_picture(options.plot)
    files = {"the grid": options.grid, "the seeds": options.seeds, "the table": options.replay}
    journal = options.journal if options.replay is None else None
    check_targets(
        [("--journal", journal), ("--json", options.json_path), ("--plot", options.plot)],
        {name: path for name, path in files.items() if path and Path(path).is_file()},
    )


def _say_promise(run: Run) -> None:
    tuning = run.tuner.tuning
    run.say(f"[bold]{promise(tuning)}[/bold]")
    for line in conditions(tuning, run.grid.names):
        run.say(f"  - {output.plain(line)}")


def _observe(run: Run, options: Options) -> str | None:
    """From where the journal ends to the end; why it ended, where that is the program."""
    head = head_of(run.tuner.tuning, run.grid, options)
    program = Program(options.observe or "", run.grid.names, options.timeout)
    with open_journal(options.journal, head, lambda note: run.say(output.plain(note))) as journal:
        program.lock = (journal.fileno(),)
        _go_back(run, journal)
        try:
            run.drive(partial(_observed, run, program, journal, options.retries))
        except ObservationError as error:
            return str(error)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted in evaluation {len(run.tuner.history) + 1}, which is not counted; "
                "the same command goes on from there"
            ) from None
    if program.ignored:
        names = output.plain(", ".join(sorted(program.ignored)))
        run.say(f"note: the program also printed {names}, which nothing reads")
    return None


def _go_back(run: Run, journal: Journal) -> None:
    """Tell the tuner what the journal has; raises ModelError where it would not have asked that."""
    for number, (target, reward, cost) in enumerate(journal.observations, start=1):
        proposal = run.tuner.ask()
        if proposal is None or proposal.index != target:
            asked = "none" if proposal is None else proposal.index
            raise ModelError(
                f"evaluation {number} of the journal is of target {target}, now it would be of "
                f"{asked}; raise --evaluations if it is lower than before, else the journal was "
                "changed or is of another version: give a new --journal"
            )
        run.tell(proposal, reward, cost)
    proposal, begun = run.tuner.ask(), journal.begun
    if begun is not None and (
        proposal.index != begun
        if proposal
        else len(journal.observations)
        < (run.tuner.tuning.evaluations or 0)  # which may be lower now
    ):
        raise ModelError(
            f"the journal ends with the begin of an evaluation of target {begun}, which would not "
            "be proposed; it was changed or is of another version: give a new --journal"
        )
    if journal.observations:
        run.say(f"{count(len(journal.observations), 'evaluation')} taken from the journal")


def _observed(
    run: Run, program: Program, journal: Journal, retries: int, proposal: Proposal
) -> tuple[float, float]:
    """Reward and cost, which the tuner has been told; ObservationError once all attempts failed."""
    number, index, last = len(run.tuner.history) + 1, proposal.index, ""
    journal.write({"begin": number, "target": index})
    for attempt in range(1, retries + 2):
        try:
            reward, cost = program(proposal, number, attempt)
            run.tell(proposal, reward, cost)
            journal.write({"end": number, "target": index, "reward": reward, "cost": cost})
            return reward, cost
        except (ObservationError, ModelError) as error:
            last, run.failures = str(error), run.failures + 1
            journal.write({"failed": number, "attempt": attempt, "reason": last})
            run.say(f"   attempt {attempt} of {retries + 1} is not counted: {output.plain(last)}")
    raise ObservationError(
        f"Evaluation {number} has failed {retries + 1} times, at last because {last}. What was "
        "observed before is kept, and the same command goes on from there."
    )


def _finish(run: Run, options: Options, why: str | None) -> int:
    """Print the answer and write what was asked for; the exit code."""
    stopped = why or run.tuner.stopped or ""
    run.say(f"\n[bold]stopped[/bold]: {output.plain(stopped)}")
    best = None if run.tuner.refuted is not None else run.tuner.recommend()
    for line in _answer(run, best):
        run.say(line)
    _say_promise(run)
    if options.json_path:
        write_json(_document(run, options, best, stopped), options.json_path)
        run.say(f"numbers: {output.plain(options.json_path)}")
    if options.plot:
        from ..pictures import draw_tuning

        path = draw_tuning(run.tuner, run.grid.names, run.since, run.recorded, best, options.plot)
        run.say(f"plot: {output.plain(path)}")
    if why is not None:
        return ExitCode.OBSERVATION_FAILED
    broken = best is None or bool(_unsafe_by_table(run, best))
    return ExitCode.UNDECIDED if broken else ExitCode.AS_EXPECTED


def _answer(run: Run, best: int | None) -> Iterator[str]:
    steps = run.tuner.history
    if best is None:
        yield "[bold red]no target is recommended[/bold red]: the model below is contradicted"
    else:
        tuning = run.tuner.tuning
        _, high, least, most = (bound[best] for bound in run.tuner.bounds)
        high = tuning.limit if tuning.method == "losbo" else min(high, tuning.limit)
        bounds = f"cost at most {shown(high, tuning.limit)}, reward {least:g} to {most:g}"
        yield f"[bold]recommended[/bold]: {run.name(best)}; {bounds}"
        yield output.plain(basis_of_reward(tuning, run.grid.names))
    exceeded = sum(step.exceeded for step in steps)
    noise = ", as noise alone can do" if exceeded and best is not None else ""
    yield (
        f"{count(len(steps), 'evaluation')}, {exceeded} of which observed a cost above the limit"
        f"{noise}; {count(run.failures, 'failed attempt')}"
    )
    seeds = len(run.tuner.tuning.seeds)
    if len(run.since) > seeds + 1 and (run.since == 1).sum() == len(run.since) - seeds:
        yield (
            "[bold red]careful[/bold red]: one evaluation has certified every target: by "
            "--lengths or --lipschitz the cost hardly changes over the grid"
        )
    if run.tuner.safe.sum() == seeds:
        yield (
            "note: nothing but the seeds was ever certified; a grid that is finer around them, or "
            "longer --lengths or a smaller --lipschitz if they are true, lets it get away"
        )
    elif run.tuner.tuning.method in STAGED and all(
        step.proposal is None or step.proposal.phase != "maximise" for step in steps
    ):
        yield "note: all evaluations went into expanding; a larger --tolerance ends that earlier"
    if run.recorded is not None:
        yield from _against_table(run, best, *run.recorded)


def _unsafe_by_table(run: Run, best: int | None) -> list[int]:
    """Of a replay: seeds, targets tried and the recommended one that the table has as unsafe."""
    if run.recorded is None:
        return []
    concerned = {step.index for step in run.tuner.history} | set(run.tuner.tuning.seeds)
    concerned |= set() if best is None else {best}
    return sorted(z for z in concerned if run.recorded[1, z] > run.tuner.tuning.limit)


def _against_table(run: Run, best: int | None, rewards: Floats, costs: Floats) -> Iterator[str]:
    """How a replay compares with its table."""
    safe = costs <= run.tuner.tuning.limit
    tried = sorted({step.index for step in run.tuner.history})
    yield f"by the table, {(~safe[tried]).sum()} of the {len(tried)} targets tried are unsafe"
    for index in _unsafe_by_table(run, best):
        seed = " is a seed and unsafe: what is said below of seeds is false; it"
        what = seed if index in run.tuner.tuning.seeds else " is unsafe, and was certified; it"
        yield f"[bold red]by the table[/bold red], {run.name(index)}{what} costs {costs[index]:g}"
    if best is not None:
        yield _of_table("the recommended one", run, best, rewards, costs)
    if not safe.any():
        yield "by the table, no target at all is safe"
    elif (finest := int(np.where(safe, rewards, -np.inf).argmax())) != best:
        yield _of_table("the best safe one", run, finest, rewards, costs)
    if len(tried) < len(run.tuner.history):
        yield (
            "note: the table has one row a target, so that a target tried again gives the same "
            "number, which the bounds take for a new observation"
        )


def _of_table(what: str, run: Run, index: int, rewards: Floats, costs: Floats) -> str:
    return f"by the table, {what}, {run.name(index)}: {rewards[index]:g}, cost {costs[index]:g}"


def _document(run: Run, options: Options, best: int | None, stopped: str) -> dict[str, Any]:
    tuner, rows = run.tuner, run.grid.rows
    return {
        **head_of(tuner.tuning, run.grid, options),
        "columns": run.grid.names,
        "promise": promise(tuner.tuning),
        "conditions": list(conditions(tuner.tuning, run.grid.names)),
        "stopped": stopped,
        "recommended": None if best is None else {"index": best, "target": rows[best]},
        "certified": np.flatnonzero(tuner.safe),
        "failed_attempts": run.failures,
        "steps": [asdict(step) for step in tuner.history],
    }
