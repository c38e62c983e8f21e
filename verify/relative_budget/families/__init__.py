"""Where the cases of relative budgets come from."""
