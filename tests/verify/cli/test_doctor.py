"""The doctor finds a healthy machine healthy, and says what is wrong with a sick one."""

import io
import subprocess
import sys

import pytest
from rich.console import Console

from holdfast.verify import kernel
from holdfast.verify.cli import doctor
from holdfast.verify.cli.doctor import Check, diagnose, healthy, show


def named(name: str) -> Check:
    (found,) = diagnose([name])
    return found


def test_this_machine_is_healthy() -> None:
    checks = diagnose()
    assert [check for check in checks if not check.ok and not check.optional] == []
    assert healthy(checks)
    assert {"python", "sympy", "exact arithmetic", "kernel", "store", "torch"} <= {
        check.name for check in checks
    }
    assert {"numba", "threadpoolctl", "python-flint", "numpy"} <= {check.name for check in checks}
    assert not {"pytest", "sphinx"} & {check.name for check in checks}


def test_a_wrong_answer_of_flint_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_solved", lambda: ["1/5", "0.6"])
    check = named("exact arithmetic")
    assert not check.ok
    assert "0.6" in check.detail
    assert check.remedy == "reinstall python-flint"
    assert not named("threads").ok


def test_a_kernel_that_accepts_everything_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    good = kernel.check(doctor._certificate()[1])
    monkeypatch.setattr(kernel, "check", lambda _: good)
    assert named("kernel").detail == "a certificate with a wrong value is accepted"


def test_a_kernel_that_rejects_everything_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = kernel.check({})
    monkeypatch.setattr(kernel, "check", lambda _: bad)
    assert "a correct certificate is rejected: step 1" in named("kernel").detail


def test_errors_are_results(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[str]:
        raise ImportError("libflint.so.20: cannot open shared object file")

    monkeypatch.setattr(doctor, "_solved", broken)
    assert named("exact arithmetic").detail.startswith("ImportError: libflint.so.20")


def test_a_missing_library_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "required", lambda: ("no-such-library",))
    check = named("no-such-library")
    assert (check.ok, check.detail) == (False, "not installed")
    assert "reinstall holdfast" in check.remedy


def test_a_missing_extra_is_no_illness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "EXTRAS", {"no_such_module": "neural"})
    checks = diagnose(["python", "no_such_module"])
    assert checks[-1] == Check(
        "no_such_module", False, "not installed", "pip install 'holdfast[neural]'", True
    )
    assert healthy(checks)


def test_an_old_python_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (99, 0))
    assert "too old" in named("python").detail
    assert named("python").remedy == "use Python 99.0 or newer"


def test_an_unusable_temporary_directory_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.tempfile, "tempdir", "/no/such/directory")
    check = named("store")
    assert not check.ok
    assert "/no/such/directory" in check.detail


def test_the_table_shows_remedies_of_failures_only() -> None:
    stream = io.StringIO()
    checks = [
        Check("flint", False, "gave [2]", "reinstall it"),
        Check("torch", False, "not installed", "get it", True),
        Check("clock", True, "ticks", "wind it"),
    ]
    show(checks, Console(file=stream, width=80))
    text = stream.getvalue()
    assert "FAIL" in text
    assert "gave [2]" in text
    assert "reinstall it" in text
    assert "absent" in text
    assert "wind it" not in text
    assert not healthy(checks)


def test_torch_is_looked_for_without_being_imported() -> None:
    code = (
        "import sys; from holdfast.verify.cli.doctor import diagnose; diagnose(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
