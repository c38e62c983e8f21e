"""Every statement that is called false lists what is printed, and its counterexample meets it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import sympy

from holdfast import theory
from holdfast.theory import Eq, Printed, Provenance, Refutation, Source, Standing, Theorem
from holdfast.theory.chance import flipping
from holdfast.theory.chance.flipping import T_window, V_flip
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.binding.family import Case, OutOfScope
from holdfast.verify.binding.values import ClaimError
from holdfast.verify.engine.examiner import Kind, Shard, drawn_case, run_shard
from holdfast.verify.engine.fairness import unmet, why_fair
from holdfast.verify.kernel import Verdict
from holdfast.verify.offline.landmarks import bandits
from holdfast.verify.search.counterexample import Refuter, certify

FALSE = {
    claim.name: claim
    for claim in shipped()
    if claim.theorem.standing.is_false and not claim.trained
}
CASE = FALSE["flipping/two-actions"]


@pytest.mark.parametrize("claim", FALSE.values(), ids=FALSE)
def test_the_counterexample_meets_what_is_printed(claim: Claim) -> None:
    met = why_fair(claim)
    refutation = claim.theorem.refutation
    assert refutation is not None
    assert len(met) == len(refutation.printed) >= 2
    assert any(one.shown for one in met), "some number of the counterexample shows something"
    for text in (refutation.fidelity, refutation.severity, *(one.text for one in met)):
        assert text.endswith(".")
    assert all(one.met.endswith(".") for one in met)
    assert "2026-11-29" in refutation.fidelity


def _cases(claim: Claim) -> Iterator[Case]:
    yield from map(claim.family.landmark, claim.family.landmarks)
    for index in range(2):
        try:
            yield drawn_case(claim, 1, index)[1]
        except OutOfScope:
            continue


def _is_false(shown: str) -> bool:
    """Of a relation with its rational numbers, such as ``lam > 0: lam = 2``."""
    relation, found, numbers = shown.partition(": ")
    if not found or not re.fullmatch(r"(\w+ = -?\d+(/\d+)?(, )?)+", numbers):
        return False
    named = dict(one.split(" = ") for one in numbers.split(", "))
    values = {sympy.Symbol(name): sympy.Rational(value) for name, value in named.items()}
    left, sign, right = re.split(r" (<=|>=|==|!=|<|>) ", relation)
    sides = [sympy.sympify(side, locals={q: sympy.Symbol(q) for q in named}).xreplace(values)
             for side in (left, right)]  # fmt: skip
    compared = {
        "<=": sympy.Le,
        ">=": sympy.Ge,
        "==": sympy.Eq,
        "!=": sympy.Ne,
        "<": sympy.Lt,
        ">": sympy.Gt,
    }
    return compared[sign](*sides) == sympy.false


@pytest.mark.parametrize("claim", FALSE.values(), ids=FALSE)
def test_no_certificate_shows_a_condition_that_its_case_breaks(claim: Claim) -> None:
    for case in _cases(claim):
        if (seen := Refuter(claim).refute(case)) is None:
            continue
        document = certify(claim, case, seen.part, seen.values).document
        broken = [one["shown"] for one in document["notes"]["printed"] if _is_false(one["shown"])]
        assert not broken


def test_a_case_that_breaks_what_is_printed_is_no_counterexample() -> None:
    """lambda 4/5: a payoff of -3/5, where Definition 5.1 is for payoffs in [0, Vmax]."""
    claim = FALSE["weighted-critics/lemma-constant"]
    case = bandits.small_multiplier()
    assert unmet(claim, case) == "lowest >= 0: lowest = -3/5"
    assert Refuter(claim).refute(case) is None
    family = claim.family.with_landmarks(small=bandits.small_multiplier)
    outside = replace(claim, family=family)
    found = run_shard(outside, Shard(claim.name, Kind.LANDMARKS, 0, 3, seed=1)).findings
    verdicts = [Verdict.VIOLATED, Verdict.HOLDS, Verdict.OUT_OF_SCOPE]
    assert [one.verdict for one in found] == verdicts
    assert "lowest >= 0: lowest = -3/5 is not met" in found[2].note


def test_a_statement_that_stands_has_no_list() -> None:
    (stands,) = [claim for claim in shipped() if claim.name == "flipping/one-step"]
    assert why_fair(stands) == ()


def test_a_witness_that_violates_nothing_is_a_fault() -> None:
    with pytest.raises(ClaimError, match="does not violate"):
        why_fair(replace(CASE, shows=lambda _: {V_flip: Fraction(10, 9)}))


def test_an_assumption_that_is_not_met_is_a_fault() -> None:
    """The windows of CE-1 have two steps; a source that prints one step is not refuted by it."""
    one_step = Printed("Windows have one step.", "T = 2.", Eq(T_window, 1))
    refutation = replace(CASE.theorem.refutation, printed=(one_step,))
    with pytest.raises(ClaimError, match="is not met by the witness"):
        why_fair(replace(CASE, theorem=replace(CASE.theorem, refutation=refutation)))


def test_a_number_that_the_witness_lacks_is_named() -> None:
    with pytest.raises(ClaimError, match="no value of T"):
        why_fair(replace(CASE, shows=None))


def test_a_long_fraction_is_shown_by_its_first_digits() -> None:
    """The regret of `safe-improvement/literal-oracle` is a fraction of some thousand digits."""
    (claim,) = (one for one in shipped() if one.name == "safe-improvement/literal-oracle")
    rows = [one.shown for one in why_fair(claim)]
    (regret,) = (row for row in rows if row.startswith("eps_opt <= 0"))
    assert regret.startswith("eps_opt <= 0: eps_opt = about -0.")
    assert regret.endswith("characters)")
    assert max(map(len, rows)) < 200


def test_what_was_not_read_is_not_called_refuted() -> None:
    with pytest.raises(ValueError, match="its source was not read"):
        Theorem(
            "mine/recalled",
            "A title",
            CASE.theorem.relation,
            Source("a paper", "Lemma 1", Provenance.RECALLED),
            standing=Standing.REFUTED,
        )


def test_what_was_read_is_not_called_printed_nowhere() -> None:
    source = Source("a paper", "Lemma 1", Provenance.READ)
    with pytest.raises(ValueError, match="printed nowhere, and to be read in its source"):
        Theorem("mine/read", "A title", CASE.theorem.relation, source,
                standing=Standing.FALSE_UNPRINTED)  # fmt: skip


def test_the_catalogue_refuses_a_false_statement_without_its_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = replace(flipping.bellman, refutation=None)
    monkeypatch.setattr(flipping, "bellman", bare)
    with pytest.raises(ValueError, match="flipping/bellman is refuted"):
        theory.catalogue()
    kept = Refutation("Read.", "None.", ())
    monkeypatch.undo()
    monkeypatch.setattr(flipping, "one_step", replace(flipping.one_step, refutation=kept))
    with pytest.raises(ValueError, match="exactly if it is false"):
        theory.catalogue()


def test_the_readme_counts_them_right() -> None:
    words = {19: "Nineteen", 21: "Twenty-one", 22: "Twenty-two"}
    false = {c.theorem.label: c.theorem.standing for c in shipped() if c.theorem.standing.is_false}
    counts = Counter(false.values())
    text = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert f"{words[counts[Standing.REFUTED]]} statements are false as printed" in text
    assert f"{words[len(false) - counts[Standing.REFUTED]]} more statements are false" in text
    assert f"{words[counts[Standing.FALSE_UNPRINTED]]} are printed nowhere" in text
    assert counts[Standing.FALSE_AS_RECALLED] == 2
    assert "Two are *false as recalled*" in text


def _reached(p: tuple[Fraction, ...]) -> list[Fraction]:
    """Risks of the windows at k = 0 and 1 of the model in the severity of additive-reached.

    At 0 from x: p2/2.  At 1, given that s_1 is safe: s_1 is w with p3, of all but p2/2.
    """
    return [p[1] / 2, (p[2] / 2) / (1 - p[1] / 2)]


def test_one_step_is_no_exception_given_that_s_k_is_safe() -> None:
    """3 p2 + p3 where both windows bind: p2 = 2/5 and p3/2 = (1/5)(4/5), so p3 = 8/25.

    With two actions: a1, a2 at most 3 (2/5) = 6/5; a1, a3 at most p3 = 2/5; a2, a3 need
    p3/2 <= (1 - p2/2)/5 with p3 = 1 - p2, so p2 >= 3/4, and p2 <= 2/5: nothing.
    """
    best = (Fraction(7, 25), Fraction(2, 5), Fraction(8, 25))
    assert _reached(best) == [Fraction(1, 5)] * 2
    assert 3 * best[1] + best[2] == Fraction(38, 25) > Fraction(6, 5)
    severity = FALSE["flipping/additive-reached"].theorem.refutation.severity
    assert "(7/25, 2/5, 8/25), worth 38/25, and two actions 6/5 at most" in severity
    twentieths = [Fraction(n, 20) for n in range(21)]
    for share in twentieths:
        for p in ((1 - share, share, 0), (1 - share, 0, share), (0, share, 1 - share)):
            if max(_reached(tuple(map(Fraction, p)))) <= Fraction(1, 5):
                assert 3 * p[1] + p[2] <= Fraction(6, 5)


def test_forty_policies_are_enough_far_from_one_only() -> None:
    """(3/5)^40 = 1.337e-9 against 1 - exp(-8/25 (1 - gamma_c)^2), as x - x^2/2 < 1 - e^-x < x."""
    for near, exceeded in ((Fraction(6, 10**5), False), (Fraction(1, 10**4), True)):
        x = Fraction(8, 25) * near**2
        assert (x - x**2 / 2 > Fraction(3, 5) ** 40) is exceeded
        assert (x < Fraction(3, 5) ** 40) is not exceeded
