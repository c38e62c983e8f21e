"""The exact program over measured policies, and bounds that survive the choice among them."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.solvers import ModelError
from holdfast.solvers.binomial import upper_bound
from holdfast.solvers.chance.mixtures import Atom, best_pair
from holdfast.solvers.neural.chance import judged_flip, measured_flip
from holdfast.solvers.neural.chance.flips import mixed
from holdfast.solvers.neural.parts.evaluation import Episodes


def measured(*counts: tuple[int, int, int]) -> list[Episodes]:
    return [Episodes(n, k, Fraction(total), Fraction(0)) for n, k, total in counts]


def test_two_policies_are_mixed_to_the_level_exactly() -> None:
    """Risks 1/10 and 3/10, values 2 and 6: at 1/4 the bolder has (1/4 - 1/10)/(1/5) = 3/4."""
    policies = measured((10, 3, 60), (20, 2, 40), (10, 9, 61))
    found = measured_flip(policies, "1/4")
    assert (found.safer, found.bolder, found.probability) == (1, 0, Fraction(3, 4))
    assert found.value == Fraction(1, 4) * 2 + Fraction(3, 4) * 6
    assert mixed(found, [one.risk for one in policies]) == Fraction(1, 4)
    assert judged_flip([(one.risk, one.value) for one in policies], "1/4") == found


def test_one_policy_is_taken_alone_where_it_is_best() -> None:
    found = measured_flip(measured((10, 1, 50), (10, 5, 40)), "1/2")
    assert (found.safer, found.bolder, found.probability) == (0, 0, 0)


_COUNTS = st.tuples(st.integers(1, 12), st.integers(0, 12), st.integers(-9, 9)).map(
    lambda drawn: (drawn[0], min(drawn[1], drawn[0]), drawn[2])
)


@given(st.lists(_COUNTS, min_size=1, max_size=6), st.fractions(0, 1, max_denominator=8))
def test_the_flip_is_the_best_of_all_pairs(counts, level: Fraction) -> None:
    policies = measured(*counts)
    atoms = [Atom(one.value, 1 - one.risk) for one in policies]
    expected = best_pair(atoms, 1 - level)
    if expected is None:
        with pytest.raises(ModelError, match="no policy is safe enough"):
            measured_flip(policies, level)
        return
    found = measured_flip(policies, level)
    assert found.value == expected.value
    assert mixed(found, [one.risk for one in policies]) <= level


def tail(violations: int, episodes: int, risk: Fraction) -> Fraction:
    """Pr(at most so many violations)."""
    terms = (
        comb(episodes, k) * risk**k * (1 - risk) ** (episodes - k) for k in range(violations + 1)
    )
    return sum(terms, Fraction(0))


@pytest.mark.parametrize(
    ("violations", "episodes"), [(0, 1), (0, 40), (3, 40), (39, 40), (17, 300)]
)
@pytest.mark.parametrize("error", [Fraction(1, 20), Fraction(1, 10**6)])
def test_the_bound_is_the_least_that_the_binomial_tail_allows(
    violations: int, episodes: int, error: Fraction
) -> None:
    bound, step = upper_bound(violations, episodes, error), Fraction(1, 2**24)
    assert tail(violations, episodes, bound) <= error < tail(violations, episodes, bound - 2 * step)


def test_all_unsafe_episodes_bound_nothing() -> None:
    assert upper_bound(5, 5, Fraction(1, 20)) == 1


def laws(level: Fraction, margin: str, risks: tuple[Fraction, ...], n: int) -> Fraction:
    """Exactly: Pr(the flip that is chosen is riskier than the level), three policies, n episodes.

    All values are equal but for a reward for having been counted safe, so that the program always
    wants the policy that looks bolder.
    """
    wrong = Fraction(0)
    for counts in ((a, b) for a in range(n + 1) for b in range(n + 1)):
        weight = Fraction(1)
        for k, p in zip(counts, risks, strict=True):
            weight *= comb(n, k) * p**k * (1 - p) ** (n - k)
        policies = measured((n, 0, 0), *((n, k, n * (i + 1)) for i, k in enumerate(counts)))
        try:
            found = measured_flip(policies, level, margin=margin, confidence=Fraction(9, 10))
        except ModelError:
            continue
        if mixed(found, [Fraction(0), *risks]) > level:
            wrong += weight
    return wrong


def test_a_margin_keeps_the_level_with_its_confidence_and_none_does_not() -> None:
    """Two policies of risk just above 3/10 and a safe one, 12 episodes each, by enumeration."""
    level, risks = Fraction(3, 10), (Fraction(31, 100), Fraction(32, 100))
    assert laws(level, "none", risks, 12) > Fraction(1, 2)
    assert laws(level, "upper", risks, 12) <= Fraction(1, 10)


def test_the_margin_is_shared_among_the_policies() -> None:
    """With k policies each bound holds with error (1 - confidence) / k."""
    one = measured((100, 5, 0))
    least = upper_bound(5, 100, Fraction(1, 20))
    assert measured_flip(one, least, margin="upper").probability == 0
    with pytest.raises(ModelError, match="measure more episodes"):
        measured_flip(one * 2, least, margin="upper")
    assert measured_flip(one * 2, upper_bound(5, 100, Fraction(1, 40)), margin="upper")


@pytest.mark.parametrize(
    ("policies", "arguments", "said"),
    [
        ([(100, 3, 0), (100, 9, 5)], {"level": "1/50"}, r"the level is 0\.02, the least measured "
         r"risk is 0\.03 \(policy 1 of 2\); train at a lower limit or raise the level"),
        ([(100, 3, 0)], {"level": "1/25", "margin": "upper"}, r"the least bound at confidence "
         r"0\.95 is 0\.07571 \(policy 1 of 1\); train at a lower limit, measure more episodes"),
        ([], {"level": 0.1}, "there is no policy to mix"),
        ([(0, 0, 0)], {"level": 0.1}, "policy 1 of 1 has 0 violations in 0 episodes"),
        ([(4, 5, 0)], {"level": 0.1}, "policy 1 of 1 has 5 violations in 4 episodes"),
        ([(4, 1, 0)], {"level": 17}, r"level is 17; it must lie in \[0, 1\]"),
        ([(4, 1, 0)], {"level": "much"}, "level is 'much', not a rational"),
        ([(4, 1, 0)], {"level": 1, "margin": "wide"}, "margin is 'wide'"),
        ([(4, 1, 0)], {"level": 1, "confidence": 1}, "confidence is 1; it must lie between"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(policies, arguments: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        measured_flip(measured(*policies), **arguments)


def test_no_exactly_judged_policy_is_safe_enough() -> None:
    with pytest.raises(ModelError, match=r"the level is 0\.1, the least measured risk is 0\.2"):
        judged_flip([("1/5", 1), ("1/2", 3)], "1/10")
    with pytest.raises(ModelError, match="there is no policy to mix"):
        judged_flip([], "1/10")


def test_one_policy_alone_is_the_best_of_those_that_are_safe_enough() -> None:
    policies = measured((10, 3, 60), (10, 1, 20), (10, 2, 30), (10, 0, 30))
    found = measured_flip(policies, "1/4", alone=True)
    assert (found.safer, found.bolder, found.probability, found.value) == (2, 2, 0, 3)
    with pytest.raises(ModelError, match="no policy is safe enough"):
        measured_flip(policies[:3], "1/20", alone=True)
