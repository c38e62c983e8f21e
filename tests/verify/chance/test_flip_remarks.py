"""Whether fresh episodes agree with exact numbers: intervals that hold for every law, together."""

from fractions import Fraction
from math import comb
from types import SimpleNamespace

import pytest

from holdfast.solvers.neural.parts.evaluation import Episodes
from holdfast.verify.chance.flip_remarks import _agreement, _broken
from holdfast.verify.chance.measured import enclosed_risk, enclosed_value
from holdfast.verify.chance.networks import Flips, Network, Trained
from holdfast.verify.report.wording import Tone

HALF = Fraction(1, 2)


def seen(high: int, episodes: int, unsafe: int = 0) -> Episodes:
    """So many episodes of return 1, the others of 0."""
    total = Fraction(high)
    return Episodes(episodes, unsafe, total, total, Fraction(0), Fraction(1))


def network(measured: Episodes, value: Fraction, risk: Fraction) -> Network:
    run = SimpleNamespace(training=SimpleNamespace(seed=0))
    return Network(run, None, HALF, None, (value, risk), measured)


def agreeing(*networks: Network) -> tuple[Tone, str]:
    remark = _agreement(Trained("ppo", networks, {}))
    return remark.tone, remark.text


def test_a_return_that_is_seldom_is_not_missed() -> None:
    """Return 1 with probability 1/500, 1000 episodes: none is seen with probability 0.135, and
    Student's interval is then the point 0, which excludes 1/500 whatever its confidence."""
    chance = Fraction(1, 500)
    assert float((1 - chance) ** 1000) == pytest.approx(0.135, abs=1e-3)
    none = seen(0, 1000)
    assert none.interval(0.999).value == (0, 0)
    assert agreeing(network(none, chance, Fraction(0)))[0] is Tone.GOOD
    ends = [enclosed_value(seen(k, 1000), 2) for k in range(30)]
    missed = sum(
        comb(1000, k) * chance**k * (1 - chance) ** (1000 - k)
        for k, end in enumerate(ends)
        if not end.lo <= chance <= end.hi
    )
    assert missed <= Fraction(1, 2000)  # more than 29 have a probability below 10^-20


def test_returns_that_are_all_equal_agree_with_themselves() -> None:
    """An interval in floats might end a rounding beside them."""
    third = Fraction(1, 3)
    same = Episodes(300, 0, 300 * third, 300 * third**2, Fraction(0), Fraction(1))
    assert agreeing(network(same, third, Fraction(0)))[0] is Tone.GOOD


def test_a_wrong_number_is_told() -> None:
    tone, text = agreeing(
        network(seen(5000, 10_000, 5000), HALF, HALF),
        network(seen(5000, 10_000, 5000), HALF, Fraction(3, 5)),
        network(seen(5000, 10_000, 5000), Fraction(3, 5), HALF),
    )
    assert tone is Tone.OPEN
    assert "of 1 of 3 networks (intervals of confidence 99.9% together)" in text


def test_intervals_of_more_cells_are_wider() -> None:
    """Each may miss with a share of 1/1000: Bonferroni."""
    one, many = (enclosed_risk(seen(0, 1000, 100), share) for share in (1, 50))
    assert many.lo < one.lo < Fraction(1, 10) < one.hi < many.hi


@pytest.mark.parametrize(("seeds", "broken"), [(1, True), (50, False)])
def test_what_is_proved_of_a_level_is_proved_of_all_seeds_together(
    seeds: int, broken: bool
) -> None:
    """Of 1000 episodes 100 unsafe: above the level alone, and not as one of fifty."""
    measured = seen(0, 1000, 100)
    level = enclosed_risk(measured, 7).lo
    pair = (Fraction(1), Fraction(1, 10))
    flips = [Flips(seed, pair, pair, None, pair, pair, measured) for seed in range(seeds)]
    (remark,) = _broken(Trained("ppo", (), {level: flips}), level)
    assert ("measured from" in remark.text) is broken
