"""What is done in one place only."""


def test_one_file_speaks_with_highs(sources) -> None:
    """So that no run is without its limits, and every answer is a proposal."""
    speakers = {
        source.module
        for source in sources
        for _, name in source.imports()
        if name.split(".")[0] == "highspy"
    }
    assert speakers == {"holdfast.solvers.programs.highs"}
