"""How a command ends; loads nothing, so that --help and check start at once."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ends.  A code above 64 is no answer: nothing was decided."""

    AS_EXPECTED = 0
    VIOLATION = 1
    UNDECIDED = 2
    MUTANT_SURVIVED = 3
    CERTIFICATE_REJECTED = 4
    BAD_USAGE = 64
    UNSOUND_INSTALLATION = 69
    INTERNAL_ERROR = 70
    SYSTEM_ERROR = 74
    OBSERVATION_FAILED = 75
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143
