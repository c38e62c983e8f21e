"""Second computations on relative budgets, slow and plain on purpose."""
