r"""Estimators that the hypergradient is compared with, and what the released code computes.

HPGD-MC averages return gradients over the visits of a cell within one batch.  Statements on the
released code are about lines of the repository akimotolab/BC-HG, never about a formula of the
paper; those that are false are what a reader might take from these lines.

Main results: `unique_visits`; false: `action_baseline`, `code_backup`,
`mode_target`, `two_kernels`, `batch_scale`, `ring_suffix`.
"""

from sympy import Rational

from ..quantities import Domain, Quantity
from ..relations import Eq, Le, Relation
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .games import direct


def _code(place: str) -> Source:
    return Source("holdfast, on the released code of akimotolab/BC-HG", place, Provenance.DERIVED)


def _why(
    severity: str, *lines: tuple[str, str, Relation] | tuple[str, str, Relation, bool]
) -> Refutation:
    """What is taken from the source: lines of code, each with the instance that meets it."""
    fidelity = "Compared on 2026-11-29 with the repository at 9c9d42c, not with the paper."
    return Refutation(fidelity, severity, tuple(Printed(*line) for line in lines))


estimate = Quantity("estimate", "the indirect sum of HPGD-MC on a batch", latex=r"\hat h_{MC}")
ONCE = Assumption("once", "Every visited state is visited once in the batch.")
unique_visits = Theorem(
    label="baselines/unique-visits",
    title="HPGD-MC estimates 0 where each visited state is visited once, whatever is true",
    relation=Eq(estimate, 0),
    source=_code("train_four_rooms_hpgd.py, averages of one batch"),
    given=(ONCE,),
    proof="The averages over (s, b) and over s are of the same one return gradient.",
    remark="About this estimator, not about a theorem of HPGD; with many visits its error may be "
    "the smaller one.",
)

backup = Quantity("backup", "E over a of beta log sum_b exp(Q(s, a, b)/beta)")
of_mean = Quantity("of_mean", "beta log sum_b exp(E over a of Q(s, a, b)/beta)")
code_backup = Theorem(
    label="baselines/code-backup",
    title="The backup of the code is that of a follower which observes the leader's action",
    relation=Eq(of_mean, backup),
    source=_code("SoftQIteration.train_once"),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: by Jensen it is below, in general. The policy made from it is no best response.",
    refutation=_why(
        "It strikes wherever the leader randomises at a next state and its action matters there.",
        ("train_once applies soft_value_operator to matmul(next_a_l_probs, Q[next]).",
         "Temperature 1/20, Q the identity, even odds: 1/2 + log(2)/20.",
         Le(of_mean, Rational(54, 100)), True),
        ("policy_matrix is in proportion to exp(Q(s, a, b)/beta), for each a.",
         "Its soft maximum is that of (1, 0) for either a.", Le(1, backup), True),
    ),
)  # fmt: skip

by_code = Quantity("by_code", "direct with E_f Q_L(s, a', b) over a' in the place of V_L(s)")
action_baseline = Theorem(
    label="baselines/action-baseline",
    title="The advantage of the code leaves the direct term unbiased",
    relation=Eq(by_code, direct),
    source=_code("optimize_policy with use_advantage, v_of_samples"),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: the sampled b depends on a, so what is subtracted does as well.",
    remark="V_L(s) may be subtracted, games/observing. The methods compared with share the line.",
    refutation=_why(
        "use_advantage is true in the shipped DiscreteToy4 and LQR configurations.",
        ("Q_L(s, a', b) is averaged over a' by the leader's probabilities at the sampled b.",
         "One state, even odds, Q_L(a, b) = b: the average is b itself.", Eq(by_code, 0), True),
        ("b is sampled from the follower's policy given (s, a).",
         "g(b = a | a) = 9/10, and log f moves by 1/2 and -1/2.", Eq(direct, Rational(1, 5)), True),
    ),
)  # fmt: skip

value = Quantity("value", "the leader's value under both policies", latex="V_L")
by_modes = Quantity("by_modes", "the mean of the critic whose target takes the modes")
mode_target = Theorem(
    label="baselines/mode-target",
    title="The critic of the code evaluates the policies that are followed",
    relation=Eq(by_modes, value),
    source=_code("target_policy_smoothing: false"),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: it evaluates going on by the likeliest actions.",
    refutation=_why(
        "It strikes stochastic policies; where both are nearly deterministic little is changed.",
        ("The target is r_L + gamma_L Q at the modes of leader and follower.",
         "Rewards 0 and 1 with probability 3/5 and 2/5, discount 1/2: Q = (0, 1).",
         Eq(by_modes, Rational(2, 5)), True),
        ("Actions are sampled from both policies.", "Their value is (2/5)/(1 - 1/2).",
         Eq(value, Rational(4, 5)), True),
    ),
)  # fmt: skip

simulated = Quantity("simulated", "Pr[intended move] in the simulator", Domain.PROBABILITY)
in_matrix = Quantity("in_matrix", "Pr[intended move] in the transition matrix", Domain.PROBABILITY)
two_kernels = Theorem(
    label="baselines/two-kernels",
    title="FourRooms is simulated by the transition matrix that the follower solves",
    relation=Eq(simulated, in_matrix),
    source=_code("the environment FourRooms, inherited from lasgroup/HPGD"),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: the follower is optimal for another process.",
    refutation=_why(
        "Either kernel is sensible; they differ, at the shipped fail_prob of 33/100.",
        ("With probability 4 f/3 the simulator draws one of all four moves.",
         "1 - 44/100 + 11/100.", Eq(simulated, Rational(67, 100)), True),
        ("The matrix spreads 4 f/3 over the three other moves.",
         "1 - 44/100.", Eq(in_matrix, Rational(14, 25)), True),
    ),
)  # fmt: skip

once = Quantity("once", "the estimate from a batch")
twice = Quantity("twice", "the estimate from the same batch taken twice")
batch_scale = Theorem(
    label="baselines/batch-scale",
    title="The estimate of the code is a mean: a batch taken twice gives the same",
    relation=Eq(once, twice),
    source=_code("n_episodes_advantage in train_four_rooms_bchg.py"),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: without a finished episode it is a sum.",
    remark="True where an episode has finished, so the scale jumps with the first that does.",
    refutation=_why(
        "Episodes may last 200 steps, batches 100; that gradients are clipped hides part of it.",
        ("Sums over a batch are divided by clip(sum(done), a_min=1).",
         "A batch whose sum is 1, without a finished episode.", Eq(once, 1), True),
        ("All environments are summed up.", "Twice the batch.", Eq(twice, 2), True),
    ),
)  # fmt: skip

stored = Quantity("stored", "steps in the suffix that is read from the buffer", Domain.TRIALS)
whole = Quantity("whole", "steps from there to the end of the episode", Domain.TRIALS)
ring_suffix = Theorem(
    label="baselines/ring-suffix",
    title="Suffixes read from the full buffer of the code reach to the end of their episode",
    relation=Eq(stored, whole),
    source=_code("GammaReplayBuffer.sample_transitions"),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: the loop ends at the pointer, where it may begin.",
    refutation=_why(
        "It strikes one transition of the buffer, that at the pointer: 1 of 450 as shipped.",
        ("while not last[j] and j != current_ptr: j = (j + 1) % size.",
         "The transition at the pointer, so that j = current_ptr at once.", Eq(stored, 1)),
        ("The buffer holds 450 transitions, three episodes of 150.",
         "The pointer is 0 after them, where an episode begins.", Eq(whole, 150), True),
    ),
)  # fmt: skip
