"""Counterexamples as files of the standard library that anybody can read and run."""
