"""The error that all solvers raise for data that cannot be what was meant."""


class ModelError(ValueError):
    """A model, or a file holding one, is not valid; the message says where and what to change."""
