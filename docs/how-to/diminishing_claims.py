from holdfast.solvers import policy_iteration, policy_return, solve
from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import claim, families

rise = Quantity("rise", "v(2d) - v(d)", Domain.NONNEGATIVE)
before = Quantity("before", "v(d) - v(d_0)", Domain.NONNEGATIVE)
room = Quantity("room", "d - d_0, d_0 the least cost of any policy", Domain.NONNEGATIVE)
d = Quantity("d", "budget", Domain.NONNEGATIVE)
diminishing = Theorem(
    label="mine/diminishing-returns",
    title="Returns diminish, measured from the least budget that any policy meets",
    relation=Le(rise * room, before * d),
    source=Source("my notes", "page 3", Provenance.DERIVED),
    proof="Slopes of a concave function decrease.",
)


@claim(diminishing, over=families.cmdps(constraints=(1, 1), slater=True))
def diminishing_claim(model):
    budget = model.budgets[0]
    cheapest = policy_iteration(model, ("cost", 0), maximise=False).policy(model)
    least = policy_return(model, cheapest, ("cost", 0))
    low, middle, high = (solve(model.with_budgets(b)).value for b in (least, budget, 2 * budget))
    yield {rise: high - middle, before: middle - low, room: budget - least, d: budget}
