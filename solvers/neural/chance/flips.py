"""The best flip between measured policies, by the exact linear program over their numbers.

A trained policy is known by its episodes: how many were unsafe, and what all returned together.
These are exact, and so is the best mixture at a level; two policies are enough (`solvers.chance.
hull`).  What is measured is not what is: of many policies some look safer than they are, and a
program that picks among them prefers those.  With ``margin="upper"`` the program therefore takes
upper bounds that hold for all the policies at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, Protocol

from ...binomial import upper_bound
from ...chance.hull import FlipBetween, best_flip
from ...errors import ModelError
from ...exact import Rational, to_fraction

Margin = Literal["none", "upper"]


class Counted(Protocol):
    """What episodes of one policy showed, such as `parts.evaluation.Episodes`."""

    @property
    def episodes(self) -> int:
        """How many there were."""

    @property
    def violations(self) -> int:
        """In how many of them an unsafe state was visited."""

    @property
    def returns_sum(self) -> Fraction:
        """The exact sum of their UN-normalised returns."""


def measured_flip(
    measured: Sequence[Counted],
    level: Rational | float,
    *,
    margin: Margin = "none",
    confidence: Rational | float = Fraction(19, 20),
    alone: bool = False,
    limits: Sequence[Rational] = (),
) -> FlipBetween:
    """The mixture of at most two policies of largest measured value, of risk at most the level.

    margin: "none" takes the measured risks as they are; "upper" takes Clopper-Pearson upper bounds
    that hold for all policies together with the confidence (Bonferroni), so that the risk of the
    flip is at most the level with that confidence, whichever policies the program picks.  Positions
    are those in `measured`; the value is the mean return, UN-normalised.

    alone: take the best single policy; its flip has probability 0.

    limits: at which each policy was trained, for messages.

    Raises
    ------
    ModelError: when no policy is safe enough, with the least measured risk; when there is no
        policy, or one without episodes or with impossible counts; on a level, margin or confidence
        that is none.
    """
    bound, trust = checked_share(level, "level"), checked_share(confidence, "confidence")
    if margin not in ("none", "upper"):
        raise ModelError(f'margin is {margin!r}; it is "none" or "upper"')
    if not 0 < trust < 1:
        raise ModelError(f"confidence is {trust}; it must lie between 0 and 1")
    risks, values = _risks(measured), [m.returns_sum / m.episodes for m in measured]
    taken = risks
    if margin == "upper":
        error = (1 - trust) / len(measured)
        taken = [upper_bound(m.violations, m.episodes, error) for m in measured]
    points = list(zip(taken, values, strict=True))
    found = _best_alone(points, bound) if alone else best_flip(points, bound)
    if found is None:
        raise _too_risky(risks, taken, bound, trust if margin == "upper" else None, limits)
    return found


def judged_flip(
    points: Sequence[tuple[Rational, Rational]], level: Rational | float
) -> FlipBetween:
    """The same for policies whose (risk, value) are known exactly.  Raises ModelError as above."""
    bound = checked_share(level, "level")
    if not points:
        raise ModelError("there is no policy to mix; give at least one (risk, value)")
    found = best_flip(points, bound)
    if found is None:
        risks = [to_fraction(risk, "risk") for risk, _ in points]
        raise _too_risky(risks, risks, bound, None)
    return found


def mixed(flip: FlipBetween, numbers: Sequence[Fraction]) -> Fraction:
    """What a number that each policy has, such as its risk, is for the flip once an episode."""
    share = flip.probability
    return (1 - share) * numbers[flip.safer] + share * numbers[flip.bolder]


def _best_alone(points: Sequence[tuple[Fraction, Fraction]], level: Fraction) -> FlipBetween | None:
    safe = [(value, -i) for i, (risk, value) in enumerate(points) if risk <= level]
    if not safe:
        return None
    value, place = max(safe)
    return FlipBetween(-place, -place, Fraction(0), value)


def _risks(measured: Sequence[Counted]) -> list[Fraction]:
    if not measured:
        raise ModelError("there is no policy to mix; give the episodes of at least one")
    for i, one in enumerate(measured):
        if not 0 <= one.violations <= one.episodes or one.episodes == 0:
            raise ModelError(
                f"policy {i + 1} of {len(measured)} has {one.violations} violations in "
                f"{one.episodes} episodes; measure at least one, and count each unsafe one once"
            )
    return [Fraction(one.violations, one.episodes) for one in measured]


def _too_risky(
    risks: Sequence[Fraction],
    taken: Sequence[Fraction],
    level: Fraction,
    trust: Fraction | None,
    limits: Sequence[Rational] = (),
) -> ModelError:
    at = min(range(len(risks)), key=lambda i: (taken[i], risks[i]))
    least = f"the least measured risk is {float(min(risks)):.4g}"
    if trust is not None:
        least += f", and the least bound at confidence {float(trust):g} is {float(taken[at]):.4g}"
    trained = f", trained at the limit {float(limits[at]):.4g}" if limits else ""
    more = ", measure more episodes" if trust is not None and min(risks) <= level else ""
    return ModelError(
        f"no policy is safe enough: the level is {float(level):.4g}, {least} (policy {at + 1} "
        f"of {len(risks)}{trained}); train at a lower limit{more} or raise the level"
    )


def checked_share(value: Rational | float, name: str) -> Fraction:
    """The exact probability.  Raises ModelError for what is none."""
    try:
        share = to_fraction(value, name)
    except ValueError as error:
        raise ModelError(str(error)) from error
    if not 0 <= share <= 1:
        raise ModelError(f"{name} is {share}; it must lie in [0, 1]")
    return share
