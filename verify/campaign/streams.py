"""Standard streams that the code of a claim cannot close.  Loads nothing of its own."""

from contextlib import suppress
from typing import Any, NoReturn


def protect(stream: Any) -> None:
    """Have the stream refuse to be closed: it is the command's, and the answer goes there."""
    for one, methods in (
        (stream, ("close", "detach")),
        (getattr(stream, "buffer", None), ("close",)),
    ):
        for method in methods:
            with suppress(AttributeError, TypeError):  # a stream that takes no attributes
                setattr(one, method, _refuse)


def release(stream: Any) -> None:
    """Let a protected stream be closed again."""
    buffer = getattr(stream, "buffer", None)
    for one, method in ((stream, "close"), (stream, "detach"), (buffer, "close")):
        if getattr(one, "__dict__", {}).get(method) is _refuse:
            delattr(one, method)


def _refuse() -> NoReturn:
    raise ValueError("a standard stream is the command's, which needs it for its answer")
