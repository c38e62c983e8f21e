"""Ladders of label flips: what theory says of a frozen trunk, and what trained networks learn.

The float rung is the least cost of labels with the attack's moments, bracketed; the neural rungs
are held-out losses of victims that are trained on them, beside the attack thinned to as many flips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..report.ladder import Ladder, Mark, Panel, Remark, Request, Row, Rung, Series, Table
from ..report.numbers import count
from ..report.wording import Tone
from ..terminal.options import refuse_idle
from .dpo_rungs import dpo_tables
from .reward_rungs import AGREE, CELLS, COST, DRIFT, LEAST, NEAR, ROUNDED, THINNED

if TYPE_CHECKING:
    from holdfast.solvers.neural.poisoning import Outcome, RewardModelOptions

_ALGORITHM, _TASK = "poisoning/reward-model", "synthetic"
_WIDTHS = (8, 32)
"""Features that the trunk makes, on made-up data: few pairs a feature, and many."""
_RIDGE = 1.0
"""Of the heads, for the stability bound, which is loose where it is small and pulls all rewards to
0 where it is large."""
_EQUAL = 1e-6
"""Held-out loss up to which single precision tells two victims apart from rounding: with a frozen
trunk it was 1e-15 to 1e-7."""


@dataclass(frozen=True, slots=True)
class Group:
    """One cell of the experiment.  outcomes: one a seed, with its run."""

    options: RewardModelOptions
    outcomes: Sequence[Outcome]
    runs: Sequence[Any]

    @property
    def name(self) -> str:
        """Of its row."""
        return f"{self.options.features}, h = {self.options.width}, {self.options.attack} attack"


def same_training(request: Request) -> Ladder:
    """Victims of a frozen and of a trained trunk, and where the drift of features ends what the
    theory of a frozen one promises."""
    from holdfast.solvers.neural.poisoning.drift import RATES

    _refuse(request)
    groups = _groups(request, _cells(request, {}))
    base = {"width": _WIDTHS[-1], "trunk": "trained"}
    swept = _groups(request, [{**base, "trunk_learning_rate": rate} for rate in RATES])
    return _ladder(
        request,
        "What labels teach a frozen trunk, and a trained one",
        "With a frozen trunk, labels of equal moments give the same training: loss 0 of the "
        "least-cost labels. With a trained trunk nothing is promised.",
        groups,
        (COST, LEAST, ROUNDED, THINNED, AGREE, DRIFT),
        (*_drift_panel(swept), *_curve_panel(groups)),
        swept,
        dpo_tables(request, request.task or _TASK),
    )


def stability(request: Request) -> Ladder:
    """Heads of a frozen trunk beside the bound on how far they can be apart."""
    _refuse(request)
    cells = [cell for cell in _cells(request, {"ridge": _RIDGE}) if cell["trunk"] == "frozen"]
    groups = _groups(request, cells)
    return _ladder(
        request,
        "How far rewards are apart that near labels teach a frozen trunk",
        "With a ridge, the distance of two learnt heads is at most that of their moments and "
        "gradients over the ridge.",
        groups,
        (COST, NEAR, LEAST, ROUNDED, THINNED, AGREE),
        tuple(_curve_panel(groups)),
        [],
    )


def _refuse(request: Request) -> None:
    idle = ["levels", "limits", "algorithms", "episodes"]
    refuse_idle(idle, f"has no effect on the ladder of {request.label}")


def _cells(request: Request, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Options of each cell that differ from the defaults, frozen and trained in turn."""
    from holdfast.solvers.neural.poisoning.tables import REFERENCE

    own = request.task is None or request.task.endswith((".npz", ".npy")) or request.task == _TASK
    chosen = (
        [{"width": width} for width in _WIDTHS]
        if own
        else [{"features": c.features, "width": c.width, "attack": c.attack} for c in REFERENCE]
    )
    return [
        {**cell, "trunk": trunk, **changes} for cell in chosen for trunk in ("frozen", "trained")
    ]


def _groups(request: Request, cells: Sequence[Mapping[str, Any]]) -> list[Group]:
    """The outcomes of the cells that are trained."""
    found = []
    for cell in cells:
        changes = {**request.changes, **cell}
        runs = [
            run
            for seed in request.seeds
            if (run := request.obtain(_ALGORITHM, request.task or _TASK, seed, changes)) is not None
        ]
        if runs:
            outcomes = [run.result().outcome for run in runs]
            found.append(Group(runs[0].training.options, outcomes, runs))
    return found


def _ladder(
    request: Request,
    title: str,
    bound: str,
    groups: Sequence[Group],
    rungs: Sequence[Rung],
    panels: Sequence[Panel],
    swept: Sequence[Group],
    further: Iterable[Table] = (),
) -> Ladder:
    tables = [
        Table(
            f"{trunk} trunk, mean of {count(len(request.seeds), 'seed')} (least to greatest)",
            "cell", tuple(rungs), tuple(_row(group, rungs) for group in members),
        )
        for trunk, members in groupby(
            sorted(groups, key=lambda one: one.options.trunk), lambda one: one.options.trunk
        )
    ]  # fmt: skip
    return Ladder(
        request.label,
        f"{title}: {request.task or _TASK}",
        bound,
        (*tables, *further),
        tuple(panels),
        tuple(remark for group in groups for remark in _remarks(group)),
        tuple(_notes(groups)),
        tuple(str(run.folder) for group in (*groups, *swept) for run in group.runs),
    )


def _row(group: Group, rungs: Sequence[Rung]) -> Row:
    return Row(group.name, tuple(CELLS[rung](group.outcomes) for rung in rungs))


def _remarks(group: Group) -> Iterator[Remark]:
    """What the theory promises of a frozen trunk; what the control says of either."""
    losses = [one.of("least-cost").loss for one in group.outcomes]
    name = f"{group.options.trunk} trunk, {group.name}"
    if group.options.trunk == "frozen" and not group.options.ridge:
        same = max(losses) <= _EQUAL
        yield Remark(
            Tone.GOOD if same else Tone.BAD,
            f"{name}: the least-cost labels {'teach' if same else 'do not teach'} what the attack "
            f"teaches (largest loss {max(losses):.2g})",
        )
    yield from _bounded(group, name)
    ahead = [
        outcome.of("thinned").loss > loss
        for outcome, loss in zip(group.outcomes, losses, strict=True)
    ]
    words = "beat" if all(ahead) else "do not beat" if not any(ahead) else "do not always beat"
    yield Remark(
        Tone.QUIET,
        f"{name}: the least-cost labels {words} the thinned attack ({sum(ahead)} of "
        f"{count(len(ahead), 'seed')})",
    )


def _bounded(group: Group, name: str) -> Iterator[Remark]:
    pairs = [
        victim.near
        for outcome in group.outcomes
        for victim in outcome.victims
        if victim.near is not None
    ]
    if pairs:
        kept = sum(one.distance_lower <= one.bound for one in pairs)
        yield Remark(
            Tone.GOOD if kept == len(pairs) else Tone.BAD,
            f"{name}: {kept} of {count(len(pairs), 'head')} within the stability bound",
        )


def _notes(groups: Sequence[Group]) -> Iterator[str]:
    if not groups:
        yield "nothing is trained yet; leave --no-training out to train"
    else:
        pairs = groups[0].outcomes[0].of("attack").pairs
        yield f"losses are of {pairs:,} held-out pairs a seed"


def _drift_panel(swept: Sequence[Group]) -> Iterator[Panel]:
    """Losses against drift, a line a seed: where the advantage over thinning ends."""
    if not swept:
        return
    series = []
    by_seed = zip(*(group.outcomes for group in swept), strict=False)
    for outcomes in by_seed:
        ordered = sorted(outcomes, key=lambda one: one.of("attack").drift)
        for colour, labels in enumerate(("least-cost", "thinned"), start=1):
            points = tuple((one.of("attack").drift, one.of(labels).loss) for one in ordered)
            mark = Mark.LINE if labels == "least-cost" else Mark.DASHES
            series.append(Series(f"{labels} labels", points, mark, colour))
    yield Panel(
        f"trained trunk, {swept[0].name}: the trunk learns faster and faster",
        "drift of the features of the attack's victim", "held-out loss", tuple(series),
        logarithmic=True,
    )  # fmt: skip


def _curve_panel(groups: Sequence[Group]) -> Iterator[Panel]:
    """The training loss of the attack's and of the least-cost victim, first seed, first cell."""
    from holdfast.solvers.neural.poisoning.victims import LABELS

    if not groups:
        return
    lines = groups[0].runs[0].metrics()
    series = []
    for colour, labels in enumerate(("attack", "least-cost", "thinned"), start=1):
        own = [line for line in lines if line["victim"] == LABELS.index(labels) + 1]
        points = tuple((float(k), float(line["loss"])) for k, line in enumerate(own, start=1))
        mark = Mark.DASHES if labels == "least-cost" else Mark.LINE
        series.append(Series(f"victim of the {labels} labels", points, mark, colour))
    options = groups[0].options
    title = f"{options.trunk} trunk, {groups[0].name}: training loss on the own labels"
    yield Panel(title, "updates", "loss a pair", tuple(series))


LADDERS: dict[str, Callable[[Request], Ladder]] = {
    "reward-learning/same-training": same_training,
    "reward-learning/stability": stability,
}
"""Label -> what draws its ladder."""
