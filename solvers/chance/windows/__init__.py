"""Constraints that look ahead from every state: `problem`, `optimum`, and `flips` of policies."""
