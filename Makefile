# make reports   every study, rendered to reports/        make slow    simulations that take minutes
# make test      style, types and tests                    make bench   timings
# make clean     remove what make has made
# Each sets up .venv first, with uv where it is installed, and otherwise with Python's own venv and pip.

.PHONY: reports test slow bench clean
.DEFAULT_GOAL := reports

BIN := .venv/bin
READY := .venv/.ready
CANDIDATES := python3 python python3.13 python3.12 python3.11 python3.14

reports: $(READY)
	$(BIN)/python -m econ build

test: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest -n auto

slow: $(READY)
	$(BIN)/python -m pytest -n auto -m slow

bench: $(READY)
	@set -e; for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python "$$script"; done

$(READY): pyproject.toml
	@set -e; \
	if command -v uv >/dev/null 2>&1; then \
		[ -x $(BIN)/python ] || uv venv --quiet --python '>=3.11' .venv; \
		VIRTUAL_ENV="$$PWD/.venv" uv pip install --quiet --editable '.[dev]'; \
	else \
		if ! [ -x $(BIN)/python ]; then \
			found=; \
			for candidate in $(CANDIDATES); do \
				if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
					found=$$candidate; break; \
				fi; \
			done; \
			if [ -z "$$found" ]; then \
				echo "make: econ needs Python 3.11 or newer; none of these is: $(CANDIDATES)." >&2; \
				echo "make: install one, or uv (which brings its own), and run make again." >&2; \
				exit 1; \
			fi; \
			"$$found" -m venv .venv; \
		fi; \
		$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'; \
	fi; \
	touch $(READY)

clean:
	rm -rf .venv .pytask .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
