"""What importing holdfast costs, measured in fresh processes."""

import json
import subprocess
import sys
import time

import pytest

HEAVY = (
    "cvxpy", "distributed", "gymnasium", "hypothesis", "matplotlib", "networkx", "numpy",
    "pandas", "scipy", "sympy", "torch",
)  # fmt: skip
SECONDS = 0.3


def _modules(statement: str) -> set[str]:
    code = f"{statement}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def _loaded(statement: str) -> set[str]:
    return {name.partition(".")[0] for name in _modules(statement)}


def _seconds(statement: str) -> float:
    """Best of three processes, less what starting Python itself takes."""

    def best(code: str) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    return best(statement) - best("pass")


def test_import_holdfast_is_fast() -> None:
    assert _seconds("import holdfast") < SECONDS


def test_import_holdfast_loads_nothing_heavy() -> None:
    assert not _loaded("import holdfast") & set(HEAVY)


@pytest.mark.parametrize("layer", ["theory", "solvers", "verify", "verify.cli"])
def test_no_layer_loads_torch_cvxpy_or_plots(layer: str) -> None:
    forbidden = {"torch", "cvxpy", "matplotlib", "pandas", "distributed"}
    assert not _loaded(f"import holdfast.{layer}") & forbidden


def test_claims_load_no_part_of_scipy_before_it_is_used() -> None:
    """Over a second of each command and of each process that examines claims."""
    found = _modules("from holdfast.verify.binding.claims import shipped; shipped()")
    parts = ("integrate", "linalg", "optimize", "sparse", "spatial", "special", "stats")
    assert not {f"scipy.{part}" for part in parts} & found


def test_the_kernel_loads_the_standard_library_only() -> None:
    before = _loaded("pass")
    extra = _loaded("import holdfast.verify.kernel") - before - {"holdfast"}
    foreign = {name for name in extra if name not in sys.stdlib_module_names}
    assert not foreign, f"the kernel's process holds {sorted(foreign)}"


def test_the_pytest_plugin_costs_next_to_nothing() -> None:
    """It is imported by every pytest run of an environment that has holdfast, wanted or not."""
    assert not _loaded("import pytest, holdfast.verify.pytest_plugin") & set(HEAVY)
