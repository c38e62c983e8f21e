"""The tightest case, the smallest counterexample and its certificate."""
