"""Numbers for tables: one decimal where the ends of an interval agree."""

import pytest

from holdfast.verify.report.numbers import rough


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2/3", "0.666667"),
        ("2000000/3000001..2000001/3000001", "0.666666 to 0.666667"),
        ("20000000000/30000000001..20000000001/30000000001", "0.666667"),
        ("about 3.14", "about 3.14"),
        ("undefined", "undefined"),
    ],
)
def test_ends_that_agree_are_one_number(text: str, shown: str) -> None:
    assert rough(text) == shown
