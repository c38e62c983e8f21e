from holdfast.solvers import solve
from holdfast.theory import Le, Provenance, Quantity, Source, Theorem
from holdfast.verify import claim, families

v = Quantity("v", "optimal value", latex="v(d)")
v_double = Quantity("v_double", "optimal value with twice the budget", latex="v(2d)")
doubling = Theorem(
    label="mine/doubling",
    title="Twice the budget earns at most twice as much",
    relation=Le(v_double, 2 * v),
    source=Source("a hunch", "", Provenance.DERIVED),
    proof="The value is concave in the budget.",
)


@claim(doubling, over=families.cmdps(constraints=(1, 1), bounded_reward=True))
def hunch(model):
    richer = model.with_budgets(2 * model.budgets[0])
    yield {v: solve(model).value, v_double: solve(richer).value}
