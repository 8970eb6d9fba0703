# make run    facial-bench on the built-in corpus, from nothing
# make test   lint, types, layers, and the test suite
# make lint   ruff, mypy, import-linter
# make docs   the site, in build/site
# make bench  speed and memory, as ratios
# make boards, board-real  the committed leaderboards, again
# make sensitivity  which metric responds to what
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
VIDEO  := $(VENV)/.installed-video
DOCS   := $(VENV)/.installed-docs
# Modules are compiled once, and not by each of the processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE
ifneq ($(wildcard ../shared/data/README.md),)
export FACIAL_BENCH_DATA ?= $(abspath ../shared/data)
endif

.PHONY: setup setup-video run test lint docs bench boards board-real board-renderers sensitivity clean
setup: $(STAMP)

$(STAMP): pyproject.toml requirements.txt constraints.txt plugins/facial/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -r requirements.txt
	touch $@

# What corpora from videos need: PyAV, MediaPipe, speech models. Some hundred MiB.
setup-video: $(VIDEO)
$(VIDEO): $(STAMP) requirements-video.txt $(wildcard plugins/*/pyproject.toml)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -r requirements-video.txt
	touch $@

# What the site needs.
$(DOCS): $(STAMP) requirements-docs.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -r requirements-docs.txt
	touch $@

run: setup
	$(BIN)/facial-bench run --method facial --out build/results
	$(BIN)/facial-bench run --method mean-motion --out build/results
	$(BIN)/facial-bench run --method replay --out build/results
	$(BIN)/facial-bench leaderboard --results build/results --out build/leaderboards
	@cat build/leaderboards/synthetic.md

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

test: setup-video $(DOCS) lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Warnings are errors: a link that leads nowhere is one.
docs: $(DOCS)
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/site

# The committed boards: FACIAL with five seeds, its ablations with one, null models with three. What is finished is kept in
# build/boards. On two cores a board takes about an hour from nothing. Results are verified before they stand on a board.
ABLATIONS := facial-no-adversarial facial-paper-weights facial-no-finetuning facial-no-gloc facial-no-gtem
OTHERS := ridge frozen mean-motion replay wrong-identity phase-randomised time-reversed naive-blinker ar1
# $(call runs,METHODS,CORPUS,SEEDS)
define runs
	for method in $(1); do OMP_NUM_THREADS=1 $(BIN)/facial-bench run --method $$method --corpus $(2) \
	  $(addprefix --seed ,$(3)) --out build/boards || exit 1; done
endef
define board
	$(call runs,facial,$(1),0 1 2 3 4)
	$(call runs,$(ABLATIONS),$(1),0)
	$(call runs,$(OTHERS),$(1),0 1 2)
	OMP_NUM_THREADS=1 $(BIN)/facial-bench leaderboard --results build/boards --out leaderboards
	$(BIN)/facial-bench leaderboard --results leaderboards --out leaderboards --check
endef

boards: setup
	$(call board,synthetic)

# The board on tracks of real people: make board-real TRACKS=the folder with their manifest.json
TRACKS ?= $(FACIAL_BENCH_DATA)/real-tracks
board-real: setup
	test -d build/real-tracks || $(BIN)/facial-bench corpus import $(TRACKS) build/real-tracks --format tracks
	$(call board,build/real-tracks)

# The board of renderers: the reference renderer and the null renderers on the drawn corpus, about an hour of one core.
RENDERERS := mean-frame reference-frame nearest-frame nearest-warp warp-average linear facial
board-renderers: setup-video
	for renderer in $(RENDERERS); do OMP_NUM_THREADS=1 $(BIN)/facial-bench render --renderer $$renderer \
	  --corpus synthetic-video --out build/renders || exit 1; done
	$(BIN)/facial-bench leaderboard --renders build/renders --out leaderboards

# What every metric responds to: docs/sensitivity/, docs/metrics/
sensitivity: setup
	for corpus in synthetic $(wildcard build/real-tracks); do \
	  OMP_NUM_THREADS=1 $(BIN)/facial-bench sensitivity --corpus $$corpus --out docs/sensitivity || exit 1; done
	$(BIN)/python docs/write_metric_pages.py

bench: setup
	$(BIN)/python -m benchmarks.run

clean:
	rm -rf build
