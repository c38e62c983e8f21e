"""Multipliers against their rules, on runs of torch's own optimisers; numbers as printed."""

import math
from fractions import Fraction as F

import pytest
import torch

from holdfast.solvers.alignment.audits.printed import SINGLE, Interval, exact_number, printed
from holdfast.solvers.alignment.audits.rules import Rule, State
from holdfast.solvers.alignment.audits.scalar import Run, explanations, judge
from holdfast.solvers.errors import ModelError

TARGET, ROWS = F(25), range(40)
RULES = {
    "plain": Rule(target=TARGET, rate=F(1, 20)),
    "reach": Rule(target=TARGET, rate=F(1, 20), at_least=True),
    "capped": Rule(target=TARGET, rate=F(1, 20), cap=F(3, 5)),
    "average": Rule(target=TARGET, rate=F(1, 20), average=F(9, 10), start=F(26)),
    "log": Rule(target=TARGET, kind="log", rate=F(1, 50)),
    "adam": Rule(target=TARGET, kind="adam", rate=F(7, 200)),
    "log-adam": Rule(target=TARGET, kind="log-adam", rate=F(1, 50), initial=F(1, 2)),
    "pid": Rule(target=TARGET, kind="pid", gains=(F(1, 20), F(1, 200), F(1, 10))),
}
WRITERS = {"repr": repr, "decimals": "{:.4f}".format, "digits": "{:.6g}".format}


def rows(rule: Rule) -> list[tuple[float, float, float]]:
    """(multiplier before, after, value) of each update, in doubles, as the libraries do it."""
    lam, mean, integral, old, found = 0.5, float(rule.start or 0), 0.0, 0.0, []
    logarithm = "log" in rule.kind
    held = torch.nn.Parameter(torch.tensor(math.log(lam) if logarithm else lam, dtype=torch.double))
    kind = torch.optim.Adam if "adam" in rule.kind else torch.optim.SGD
    optimiser = kind([held], lr=float(rule.rate) or 1.0)
    for k in ROWS:
        value = 25.3 + math.sin(k) + 0.5 * math.sin(2.3 * k) - 0.02 * k
        before, x = lam, value
        if rule.average is not None:
            x = mean = float(rule.average) * mean + (1 - float(rule.average)) * value
        u = (x - 25.0) * (-1 if rule.at_least else 1)
        if rule.kind == "plain":
            lam = min(max(0.0, lam + float(rule.rate) * u), float(rule.cap or math.inf))
        elif rule.kind == "pid":
            kp, ki, kd = map(float, rule.gains or ())
            integral, rise, old = max(0.0, integral + u), max(0.0, u - old), u
            lam = max(0.0, kp * u + ki * integral + kd * rise)
        else:
            optimiser.zero_grad()
            (-u * (held.exp() if logarithm else held)).backward()
            optimiser.step()
            with torch.no_grad():
                if not logarithm:
                    held.clamp_(min=0)
                lam = (held.exp() if logarithm else held).item()
        found.append((before, lam, value))
    return found


def run_of(rule: Rule, timing: str = "after", writer: str = "repr") -> Run:
    """What would be logged."""
    write, found = WRITERS[writer], rows(rule)
    lam = printed([write(row[timing == "after"]) for row in found], "lam", ROWS)
    values = printed([write(row[2]) for row in found], "cost", ROWS)
    return Run(tuple(map(F, ROWS)), tuple(lam), tuple(values))


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("timing", ["after", "before"])
@pytest.mark.parametrize("name", RULES)
def test_a_run_follows_its_own_rule_however_it_is_printed(name, timing, writer) -> None:
    verdict = judge(run_of(RULES[name], timing, writer), RULES[name])
    start = name == "log-adam" or (name == "pid" and timing == "after" == verdict.timing)
    assert verdict.checked == len(ROWS) - (not start)  # the first row as well, if it is known
    assert not verdict.contradicted
    if name != "capped":  # most of its rows are at the cap, which the other reading fits as well
        assert verdict.timing == timing or writer != "repr"


@pytest.mark.parametrize("name", [name for name in RULES if name != "plain"])
def test_no_other_run_follows_the_plain_rule(name) -> None:
    verdict = judge(run_of(RULES[name]), RULES["plain"])
    assert verdict.first is not None
    assert not verdict.first.logged.meets(verdict.first.wanted)


def test_one_wrong_step_is_found_where_it_is() -> None:
    run = run_of(RULES["plain"])
    lam = list(run.multipliers)
    lam[17] = lam[17] + Interval.of(F(1, 10**9))
    verdict = judge(Run(run.steps, tuple(lam), run.values), RULES["plain"], "after")
    assert verdict.first is not None
    assert (verdict.first.step, verdict.breaks) == (17, 2)  # into it, and out of it


def test_the_certificate_is_the_rise_over_the_rate() -> None:
    rule = RULES["plain"]
    run = run_of(rule)
    (one,) = judge(run, rule).certified
    rise = (run.multipliers[-1] - run.multipliers[0]).high / rule.rate
    assert one.holds
    assert 0 <= one.bound - rise / 39 < F(1, 10**12)
    # away from 0 the sum of the violations is the rise itself: primal-dual/telescoping-unclipped
    assert one.average.low <= one.bound < one.average.high + F(1, 10**12)


def test_the_average_certifies_as_its_theorem_says() -> None:
    rule = RULES["average"]
    (one,) = judge(run_of(rule), rule).certified
    found = rows(rule)
    mean, means = 26.0, []
    for *_, value in found:
        mean = 0.9 * mean + 0.1 * value
        means.append(mean)
    first = int(one.first)
    rise = (found[-1][1] - found[first][1]) / 0.05
    wanted = (rise + 9 * (means[-1] - means[first])) / one.updates
    assert float(one.bound) == pytest.approx(wanted, rel=1e-9)
    assert one.holds


def test_an_unknown_average_is_learnt_from_the_first_move() -> None:
    run, rule = run_of(RULES["average"]), Rule(target=TARGET, rate=F(1, 20), average=F(9, 10))
    verdict = judge(run, rule, "after")
    assert verdict.checked == 38
    assert not verdict.contradicted
    assert judge(run, Rule(target=TARGET, rate=F(1, 20), average=F(4, 5)), "after").contradicted


def test_the_cap_certifies_nothing() -> None:
    rule = RULES["capped"]
    run = run_of(rule)
    for one in judge(run, rule).certified:
        inside = [x for s, x in zip(run.steps, run.multipliers, strict=True)
                  if one.first < s <= one.last]  # fmt: skip
        assert all(x.high < rule.cap for x in inside)


def test_a_gap_is_no_contradiction() -> None:
    run = run_of(RULES["adam"])
    keep = [k for k in ROWS if not 10 <= k < 14]
    parts = ([column[k] for k in keep] for column in (run.steps, run.multipliers, run.values))
    verdict = judge(Run(*map(tuple, parts)), RULES["adam"])
    assert not verdict.contradicted
    assert sum(verdict.undecided.values()) == 26  # the moments are lost with the rows
    assert verdict.checked == 9


@pytest.mark.parametrize(
    ("name", "words"),
    [("adam", "Adam"), ("reach", "other way round"), ("log", "logarithm"),
     ("average", "moving average of the column with rho = 0.9"), ("pid", None)],
)  # fmt: skip
def test_what_explains_a_contradiction(name, words) -> None:
    rule = Rule(target=TARGET, rate=RULES[name].rate or F(1, 20))
    found = explanations(run_of(RULES[name]), rule)
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_a_sum_in_place_of_a_mean_is_a_larger_rate() -> None:
    run = run_of(Rule(target=TARGET, rate=F(2, 5)), writer="decimals")
    assert "about 8" in explanations(run, RULES["plain"])[0]


def test_a_cap_is_held_in_the_type_of_the_program() -> None:
    """0.8 in single precision is 0.800000012."""
    rule = Rule(target=F(25), rate=F(1, 20), cap=F(4, 5), unit=SINGLE)
    state = State(rule)
    held = state.meet(Interval.of(100), Interval.of(F(79, 100)))
    assert held is not None and held.low < F(4, 5) < F("0.800000012") < held.high


def test_what_printing_loses() -> None:
    fixed = printed(["0.50", "1.25"], "x", range(2))
    assert fixed[0].low < F(495, 1000) < F(505, 1000) < fixed[0].high
    assert fixed[0].high - F(505, 1000) < F(1, 10**15)
    shortest = printed(["0.5", "1.0", "0.12345678901234567"], "x", range(3))
    assert shortest[0].size - F(1, 2) < F(1, 10**15)
    rounded = printed(["0.627", "0.0", "0.62749"], "x", range(3))  # to five digits, by Python
    assert rounded[0].low < F(626996, 10**6) < F(627004, 10**6) < rounded[0].high
    digits = printed(["0.123457", "12.3457", "2"], "x", range(3))
    assert digits[1].high - digits[1].low > F(1, 10**4)
    assert printed(["25"], "x", [1], lost="nothing") == [Interval.of(25)]
    single = printed(["0.1"], "x", [1], SINGLE, "type")[0]
    assert single.low < F(*(0.1).as_integer_ratio()) < single.high


@pytest.mark.parametrize(
    "text", ["nan", "inf", "", "x", "1_0", "0x1", "1e999", "½", "1,5", "1" * 500]
)
def test_what_is_no_number_is_refused(text) -> None:
    with pytest.raises(ModelError, match="row 7 of cost"):
        printed([text], "cost", [7])


def test_numbers_are_the_rationals_that_are_printed() -> None:
    assert exact_number("-0.10", "x") == F(-1, 10)
    assert exact_number("1.5e-3", "x") == F(3, 2000)
    assert exact_number(".5", "x") == F(1, 2)


@pytest.mark.parametrize(
    ("steps", "words"), [((0, 1, 1), "twice, in rows 2 and 3"), ((0, 2, 1), "not in order")]
)
def test_steps_must_rise(steps, words) -> None:
    one = (Interval.of(1),) * 3
    with pytest.raises(ModelError, match=words):
        Run(tuple(map(F, steps)), one, one)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"rate": F(0)}, "never rises"), ({"rate": F(-1)}, "is -1, with"), ({"cap": F(0)}, "cap"),
     ({"average": F(1)}, "rho"), ({"average": F(0)}, "rho"), ({"initial": F(-1)}, "is -1; give"),
     ({"initial": F(2), "cap": F(1)}, "above the cap 1"),
     ({"kind": "log", "initial": F(0)}, "takes its logarithm"),
     ({"kind": "pid", "gains": (F(1),) * 3, "initial": F(1)}, "does not depend"),
     ({"kind": "pid", "gains": (F(0),) * 3}, "never rises"),
     ({"kind": "pid", "gains": (F(1), F(-1), F(1))}, "1, -1, 1"),
     ({"kind": "pid"}, "gains"), ({"kind": "adam", "average": F(1, 2)}, "plain rule")],
)  # fmt: skip
def test_rules_that_are_none(change, words) -> None:
    with pytest.raises(ModelError, match=words):
        Rule(**({"target": TARGET, "rate": F(1, 20)} | change))


def test_roots_and_exponentials_enclose() -> None:
    root = Interval(F(2), F(3)).root()
    assert root.low**2 <= 2 < (root.low + F(1, 10**40)) ** 2
    assert root.high**2 >= 3 > (root.high - F(1, 10**40)) ** 2
    grown = Interval(F(-1), F(1)).exponential()
    assert grown.low * grown.high == pytest.approx(1)
    assert grown.low < math.exp(-1) * (1 + 1e-15)
