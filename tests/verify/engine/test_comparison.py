"""One relation at one set of values: from rationals to balls, and what may not be said."""

from fractions import Fraction
from math import isqrt

import flint
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from holdfast.theory import Domain, Eq, Ge, Gt, Le, Lt, Ne, Quantity
from holdfast.verify.binding.balls import to_arb
from holdfast.verify.binding.values import Ball
from holdfast.verify.engine.comparison import PRECISIONS, CompiledRelation, Outcome, agreement
from holdfast.verify.engine.expressions import Undefined, Undetermined
from holdfast.verify.kernel import Comparison, Enclosure, Verdict

x = Quantity("x", "a number")
y = Quantity("y", "a number")
p = Quantity("p", "a number >= 0", Domain.NONNEGATIVE)
F = Fraction
MAKERS = (Le, Lt, Ge, Gt, Eq, Ne)
RATIONAL = st.fractions(-4, 4, max_denominator=6)
WIDTH = st.fractions(0, 2, max_denominator=4)


def examine(relation, trivial=None, **values) -> Outcome:
    exact = {name: F(v) if isinstance(v, int) else v for name, v in values.items()}
    return CompiledRelation(relation, trivial).examine(exact)


def as_ball(number: Fraction) -> Ball:
    """The rational, in disguise."""
    return Ball(lambda: to_arb(number))


# -- verdicts
@pytest.mark.parametrize(("make", "verdicts"), [
    # at (1, 2), (1, 1), (2, 1)
    (Le, "HOLDS TIGHT VIOLATED"), (Lt, "HOLDS VIOLATED VIOLATED"), (Ge, "VIOLATED TIGHT HOLDS"),
    (Gt, "VIOLATED VIOLATED HOLDS"), (Eq, "VIOLATED HOLDS VIOLATED"), (Ne, "HOLDS VIOLATED HOLDS"),
])  # fmt: skip
def test_exact_verdicts(make, verdicts: str) -> None:
    found = [examine(make(x, y), x=a, y=b) for a, b in ((1, 2), (1, 1), (2, 1))]
    assert [one.verdict.name for one in found] == verdicts.split()
    assert {one.grade for one in found} == {"exact"}


@given(st.sampled_from(MAKERS), RATIONAL, RATIONAL)
def test_balls_never_contradict_exact_numbers(make, a: Fraction, b: Fraction) -> None:
    """A number in the disguise of a ball may do no more than agree where it is equal."""
    relation = make(x / 3, y / 3)
    exact = examine(relation, x=a, y=b).verdict
    ball = examine(relation, x=as_ball(a), y=as_ball(b)).verdict
    if a != b:
        assert ball is exact
    else:
        equal = make in (Le, Ge, Eq)
        assert ball in (Verdict.AGREES if equal else Verdict.UNDECIDED, exact)


@pytest.mark.parametrize(("make", "verdict"), [
    (Le, Verdict.AGREES), (Ge, Verdict.AGREES), (Eq, Verdict.AGREES),
    (Lt, Verdict.UNDECIDED), (Gt, Verdict.UNDECIDED), (Ne, Verdict.UNDECIDED),
])  # fmt: skip
def test_equal_irrationals_agree_but_are_not_true(make, verdict: Verdict) -> None:
    """sqrt(2) sqrt(2) against 2: no precision tells them apart."""
    root = Ball(lambda: flint.arb(2).sqrt())
    found = examine(make(x * y, 2), x=root, y=root)
    assert found.verdict is verdict
    assert agreement(found.left, found.right) > PRECISIONS[-1] - 16


def test_a_ball_that_does_not_shrink_is_undecided() -> None:
    """Computed once, to 128 bits, it agrees to 128 bits with whatever is that close."""
    with flint.ctx.workprec(128):
        once = flint.arb(2).sqrt()
    found = examine(Eq(x * y, 2), x=Ball(lambda: once), y=Ball(lambda: once))
    assert found.verdict is Verdict.UNDECIDED
    assert 120 <= agreement(found.left, found.right) <= 128


def test_intervals_never_agree() -> None:
    """Known to one part in 2^300, and still no more than an interval."""
    narrow = Enclosure(F(1), 1 + F(1, 2**300))
    found = examine(Eq(x, y), x=narrow, y=F(1))
    assert (found.verdict, found.grade) == (Verdict.UNDECIDED, "enclosed")


@pytest.mark.parametrize(("left", "right", "bits"), [
    # relative to the larger side: 2^-10 of 1, of 2^-20 and of 2^20
    ((1, 1 + F(1, 2**10)), (1, 1), 10),
    ((F(1, 2**20), F(1, 2**20) + F(1, 2**30)), (F(1, 2**20), F(1, 2**20)), 10),
    ((2**20, 2**20 + 2**10), (2**20, 2**20), 10),
    # where both may be zero, absolute
    ((-F(1, 2**9), F(1, 2**9)), (0, 0), 8),
    # numbers that differ by more than themselves agree to nothing
    ((-1, 3), (1, 2), 0),
])  # fmt: skip
def test_bits_of_agreement(left, right, bits: int) -> None:
    ends = [Enclosure(*map(F, side)) for side in (left, right)]
    assert agreement(*ends) == agreement(*reversed(ends)) == bits


def test_precision_is_doubled_until_it_decides() -> None:
    """sqrt(2) against a rational that agrees with it in 300 bits."""
    close = F(isqrt(2 * 4**300), 2**300)
    root = Ball(lambda: flint.arb(2).sqrt())
    assert examine(Gt(x, y), x=root, y=close).verdict is Verdict.HOLDS
    assert examine(Le(x, y), x=root, y=close).verdict is Verdict.VIOLATED


def test_precision_is_put_back() -> None:
    before = flint.ctx.prec
    examine(Le(sympy.sqrt(p), 2), p=2)
    assert flint.ctx.prec == before


def test_zero_times_a_ball_decides_equalities() -> None:
    root = Ball(lambda: flint.arb(2).sqrt())
    assert examine(Eq(x * y, 0), x=0, y=root).verdict is Verdict.HOLDS
    assert examine(Le(x, y * sympy.exp(x)), x=0, y=0).verdict is Verdict.VACUOUS
    assert examine(Le(x + 1, 1 + y * sympy.exp(x)), x=0, y=root).verdict is Verdict.HOLDS


def test_rational_roots_are_exact() -> None:
    found = examine(Le(sympy.sqrt(p), F(3, 2)), p=F(9, 4))
    assert (found.verdict, found.grade) == (Verdict.TIGHT, "exact")


# -- enclosures
@given(st.sampled_from(MAKERS), RATIONAL, WIDTH, RATIONAL, st.data())
def test_enclosures_never_claim_too_much(make, low, width, b, data) -> None:
    """A verdict from an interval is the verdict at every number in it."""
    wide = Enclosure(low, low + width)
    verdict = examine(make(x, y), x=wide, y=b).verdict
    inside = low + width * data.draw(st.fractions(0, 1, max_denominator=12))
    exact = examine(make(x, y), x=inside, y=b).verdict
    true, false = {Verdict.HOLDS, Verdict.TIGHT, Verdict.VACUOUS}, {Verdict.VIOLATED}
    if verdict in true:
        assert exact in true
    elif verdict in false:
        assert exact in false
    else:
        assert verdict is Verdict.UNDECIDED


@given(RATIONAL, st.fractions(F(1, 9), 2, max_denominator=9))
def test_a_correlated_interval_is_not_narrowed(low: Fraction, width: Fraction) -> None:
    """x - x with x in an interval is only known to lie in an interval around zero."""
    tree = sympy.Add(x, -y, evaluate=False)
    wide = Enclosure(low, low + width)
    assert examine(Eq(tree, 0), x=wide, y=wide).verdict is Verdict.UNDECIDED


def test_alphas_add_up() -> None:
    first, second = Enclosure(F(0), F(1), F(1, 10)), Enclosure(F(2), F(3), F(1, 5))
    found = examine(Le(x, y), x=first, y=second)
    assert (found.verdict, found.grade) == (Verdict.HOLDS, "statistical")
    assert found.left.alpha + found.right.alpha == F(3, 10)


def test_alphas_add_up_to_one_at_most() -> None:
    sure = Enclosure(F(0), F(1), F(9, 10))
    assert examine(Le(x + y, 3), x=sure, y=sure).left.alpha == 1


@pytest.mark.parametrize(("value", "grade"), [
    (Enclosure(F(1), F(2)), "enclosed"),
    (Enclosure(F(1), F(2), F(1, 100)), "statistical"),
    (Ball(lambda: flint.arb(1).exp()), "ball"),
    (F(1), "exact"),
])  # fmt: skip
def test_grades(value: object, grade: str) -> None:
    assert examine(Le(x, 9), x=value).grade == grade


# -- vacuous bounds
@pytest.mark.parametrize(("bound", "verdict"), [
    (F(1, 2), Verdict.HOLDS), (F(1), Verdict.VACUOUS), (F(5), Verdict.VACUOUS),
    (F(1, 5), Verdict.VIOLATED),
])  # fmt: skip
def test_a_bound_no_better_than_the_trivial_one_is_vacuous(bound, verdict: Verdict) -> None:
    assert examine(Le(x, y), sympy.Integer(1), x=F(1, 4), y=bound).verdict is verdict


q = Quantity("q", "another number >= 0", Domain.NONNEGATIVE)
chance = Quantity("chance", "a probability", Domain.PROBABILITY)
n = Quantity("n", "a count", Domain.COUNT)


@pytest.mark.parametrize(("relation", "values", "verdict"), [
    # two zeros, whether they are yielded, a product with a zero, or a difference of equals
    (Eq(x, y), {"x": 0, "y": 0}, Verdict.VACUOUS),
    (Le(x * y, 2 * x), {"x": 0, "y": 7}, Verdict.VACUOUS),
    (Le(x - y, p), {"x": 3, "y": 3, "p": 0}, Verdict.VACUOUS),
    # a term vanishes, and what is left is one number on both sides
    (Le(x + p * y, x), {"x": 5, "p": 0, "y": -3}, Verdict.VACUOUS),
    (Eq(x * chance, x), {"x": 5, "chance": 1}, Verdict.VACUOUS),
    # zero is below what cannot be negative, at any value of the rest
    (Le(p, q), {"p": 0, "q": 3}, Verdict.VACUOUS),
    (Le(n * p, q), {"n": 0, "p": 2, "q": 3}, Verdict.VACUOUS),
    (Le(chance, sympy.exp(-p * q)), {"chance": F(1, 2), "p": 0, "q": 3}, Verdict.VACUOUS),
    # controls: the same relations where they say something
    (Eq(x, y), {"x": 2, "y": 2}, Verdict.HOLDS),
    (Le(x * y, 2 * x), {"x": 3, "y": 2}, Verdict.TIGHT),
    (Le(x - y, p), {"x": 5, "y": 3, "p": 2}, Verdict.TIGHT),
    (Le(x + p * y, x), {"x": 5, "p": 1, "y": -3}, Verdict.HOLDS),
    (Le(p, q), {"p": 3, "q": 3}, Verdict.TIGHT),
    (Le(x, y), {"x": 0, "y": 3}, Verdict.HOLDS),
    # false stays false, whatever vanishes
    (Le(q, p), {"p": 0, "q": 3}, Verdict.VIOLATED),
    # where the theorem itself says zero, a zero is its content; but nothing is attained by it
    (Eq(p, 0), {"p": 0}, Verdict.HOLDS),
    (Le(x * p, 0), {"x": -2, "p": 0}, Verdict.HOLDS),
    (Lt(chance, 1), {"chance": F(1, 2)}, Verdict.HOLDS),
    # a bound that the domain alone gives
    (Ge(p, 0), {"p": 3}, Verdict.VACUOUS),
    (Le(chance, 1), {"chance": 1}, Verdict.VACUOUS),
])  # fmt: skip
def test_what_is_true_without_the_theorem_is_vacuous(relation, values, verdict: Verdict) -> None:
    assert examine(relation, **values).verdict is verdict


def test_two_balls_that_are_zero_only_by_a_factor_are_vacuous() -> None:
    """0 exp(sqrt 2) against 0: the factor decides, the irrational number drops out."""
    root = Ball(lambda: flint.arb(2).sqrt())
    assert examine(Eq(x * sympy.exp(y), x), x=0, y=root).verdict is Verdict.VACUOUS
    assert examine(Eq(x * y, y), x=1, y=root).verdict is Verdict.AGREES


# -- undefined
@pytest.mark.parametrize(("relation", "values"), [
    (Le(x, 1 / y), {"x": 0, "y": 0}),
    (Le(x, sympy.log(y)), {"x": 0, "y": -1}),
    (Le(x, sympy.sqrt(y)), {"x": 0, "y": Ball(lambda: flint.arb(-2))}),
])  # fmt: skip
def test_an_undefined_side_is_an_error_and_refutes_nothing(relation, values) -> None:
    with pytest.raises((Undefined, Undetermined)):
        examine(relation, **values)
    exact = {name: F(v) if isinstance(v, int) else v for name, v in values.items()}
    assert CompiledRelation(relation).refutes(exact) is False


def test_an_enclosure_that_touches_the_edge_of_a_domain_is_not_decided() -> None:
    """sqrt(x) <= 5 is true for every x in [0, 1/3], but a ball around it reaches below zero."""
    with pytest.raises(Undetermined):
        examine(Le(sympy.sqrt(x), y), x=Enclosure(F(0), F(1, 3)), y=5)


def test_zero_times_something_undefined_is_not_zero() -> None:
    with pytest.raises(Undetermined):
        examine(Le(y * sympy.log(x - 1), 1), x=Enclosure(F(0), F(1, 3)), y=0)


@given(st.sampled_from(MAKERS), RATIONAL, RATIONAL)
def test_refutes_is_the_same_as_violated(make, a: Fraction, b: Fraction) -> None:
    relation = make(sympy.Abs(x) - y, y**2)
    values = {"x": a, "y": b}
    refuted = CompiledRelation(relation).refutes(values)
    assert refuted is (CompiledRelation(relation).examine(values).verdict is Verdict.VIOLATED)


# -- numbers for people
@pytest.mark.parametrize(("make", "a", "b", "slack", "ratio"), [
    (Le, 1, 4, 3.0, 0.25), (Ge, 4, 1, 3.0, 0.25), (Le, 0, 0, 0.0, 1.0), (Le, 1, 0, -1.0, None),
    (Le, -4, -1, 3.0, 0.25), (Le, -1, 2, 3.0, None), (Eq, 1, 1, None, None),
])  # fmt: skip
def test_slack_and_ratio(make, a: int, b: int, slack: float | None, ratio: float | None) -> None:
    found = examine(make(x, y), x=a, y=b)
    assert (found.slack, found.ratio) == (slack, ratio)


def test_numbers_beyond_floats_have_no_slack() -> None:
    assert examine(Le(x, y), x=0, y=F(10) ** 400).slack is None


# -- verdicts are not truth values
@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_is_no_truth_value(verdict: Verdict) -> None:
    with pytest.raises(TypeError):
        bool(verdict)


@pytest.mark.parametrize("comparison", list(Comparison))
def test_a_comparison_is_no_truth_value(comparison: Comparison) -> None:
    with pytest.raises(TypeError):
        bool(comparison)
