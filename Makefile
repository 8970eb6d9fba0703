# make run    facial-bench on the built-in corpus, from nothing
# make test   the test suite
# make bench  speed and memory, as ratios
# make boards  the committed leaderboards, again
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
export FACIAL_BENCH_CACHE ?= $(CURDIR)/build/cache
ifneq ($(wildcard ../shared/data/README.md),)
export FACIAL_BENCH_DATA ?= $(abspath ../shared/data)
endif

.PHONY: setup run test lint bench boards clean
setup: $(STAMP)

$(STAMP): pyproject.toml requirements.txt constraints.txt plugins/facial/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -r requirements.txt
	touch $@

run: setup
	$(BIN)/facial-bench run --method facial --out build/results
	$(BIN)/facial-bench run --method mean-motion --out build/results
	$(BIN)/facial-bench run --method replay --out build/results
	$(BIN)/facial-bench leaderboard --results build/results --out build/leaderboards
	@cat build/leaderboards/synthetic.md

test: setup
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -n 2 --dist worksteal

# The committed boards: every method, three seeds (about an hour and a half on two cores; finished runs are kept in build/boards).
METHODS := facial facial-no-gtem facial-no-gloc facial-no-adversarial facial-no-finetuning ridge frozen mean-motion replay wrong-identity
boards: setup
	for method in $(METHODS); do \
	  OMP_NUM_THREADS=1 $(BIN)/facial-bench run --method $$method --seed 0 --seed 1 --seed 2 --out build/boards || exit 1; done
	cd build/boards && find synthetic -name result.json | tar -cf - -T - | tar -xf - -C ../../leaderboards/results
	$(BIN)/facial-bench leaderboard --results leaderboards/results --out leaderboards

bench: setup
	$(BIN)/python -m benchmarks.run

clean:
	rm -rf build
