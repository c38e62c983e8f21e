"""What a ladder of flips proves, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from holdfast.solvers.chance import ChanceSolution

from ..report.ladder import Remark, over_seeds
from ..report.numbers import count, decimal
from ..report.wording import Tone
from .measured import CONFIDENCE, enclosed_risk, enclosed_value
from .networks import Trained, above_the_optimum


def remarks(trained: Trained, solved: Mapping[Fraction, ChanceSolution]) -> Iterator[Remark]:
    """What the figures prove, and what contradicts the theory."""
    yield _below(trained, list(solved.values()))
    yield _agreement(trained)
    yield from _ratio(trained, solved)
    yield from _kept(trained)
    for level in solved:
        yield from _broken(trained, level)


def _below(trained: Trained, solved: Sequence[ChanceSolution]) -> Remark:
    """The one figure that no training can excuse: what is above the optimum is an error."""
    flips = [one for found in trained.flips.values() for one in found]
    pairs = [one.exact for one in trained.networks]
    pairs += [pair for one in flips for pair in (one.mixture, one.episode, one.step) if pair]
    wrong = [pair for pair in pairs if above_the_optimum(pair, solved)]
    if not wrong:
        return Remark(
            Tone.GOOD,
            f"{trained.algorithm}: none of {len(pairs)} networks and flips has more than the exact "
            "optimum at its risk",
        )
    value, risk = wrong[0]
    return Remark(
        Tone.BAD,
        f"{trained.algorithm}: value {decimal(value)} at risk {decimal(risk)} is above the exact "
        "optimum, which no policy can be",
    )


def _agreement(trained: Trained) -> Remark:
    """Fresh episodes against the exact numbers: an error in either would part them."""
    share, agree = 2 * len(trained.networks), 0
    for one in trained.networks:
        ends = enclosed_value(one.measured, share), enclosed_risk(one.measured, share)
        agree += all(end.lo <= exact <= end.hi for end, exact in zip(ends, one.exact, strict=True))
    return Remark(
        Tone.GOOD if agree == len(trained.networks) else Tone.OPEN,
        f"{trained.algorithm}: fresh episodes agree with the exact value and risk of {agree} of "
        f"{count(len(trained.networks), 'network')} (intervals of confidence {CONFIDENCE:.1%} "
        "together)",
    )


def _ratio(trained: Trained, solved: Mapping[Fraction, ChanceSolution]) -> Iterator[Remark]:
    shares = [
        (one.mixture[0] / solution.value, level)
        for level, solution in solved.items()
        for one in trained.flips[level]
        if one.mixture is not None and solution.value
    ]
    if shares:
        share, level = min(shares)
        yield Remark(
            Tone.QUIET,
            f"{trained.algorithm}: the best mixture has at least {float(share):.2%} of the exact "
            f"optimum, the least at level {decimal(level)}",
        )


def _kept(trained: Trained) -> Iterator[Remark]:
    """Whether the flips once an episode keep their levels, by their exact risks."""
    cases = [
        (one.episode[1] <= level)
        for level, found in trained.flips.items()
        for one in found
        if one.episode is not None
    ]
    if cases:
        yield Remark(
            Tone.GOOD if all(cases) else Tone.OPEN,
            f"{trained.algorithm}: tossed once an episode, the coin keeps its level in "
            f"{sum(cases)} of {count(len(cases), 'case')}",
        )


def _broken(trained: Trained, level: Fraction) -> Iterator[Remark]:
    """What the coin at every step makes of the level: exactly, and as the episodes prove."""
    cases = [one for one in trained.flips[level] if one.step is not None]
    if not cases:
        return
    risks = [one.step[1] for one in cases if one.step is not None]
    text = (
        f"{trained.algorithm}: tossed at every step at level {decimal(level)}, the coin's exact "
        f"risk is {over_seeds(list(risks)).text} on average, above the level in "
        f"{sum(risk > level for risk in risks)} of {count(len(cases), 'seed')}"
    )
    intervals = [enclosed_risk(one.measured, len(cases)) for one in cases]
    above = [(ends.lo, ends.hi) for ends in intervals if ends.lo > level]
    if not above:
        yield Remark(Tone.QUIET, text)
        return
    low, high = max(above)
    yield Remark(
        Tone.GOOD,
        f"{text}; measured from {float(low):.4f} to {float(high):.4f} at confidence "
        f"{CONFIDENCE:.1%} together, above the level in {len(above)}",
    )
