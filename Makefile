# make demo    a certificate's whole life against the bundled CA, on this machine, in under a minute
# make test    everything there is: ruff, mypy, all tests, coverage, the other Python versions
# make sweep   the same tests with many more examples; the test CA's doors are fuzzed for ten minutes
# make setup   only the virtual environment in .venv
# Each sets up what it needs, once.

PY = .venv/bin/python
PYTEST = $(PY) -m pytest

# What the other Python versions run: decisions and sentences, no servers.
QUICK = $(wildcard tests/terms tests/planning tests/config tests/house)

.PHONY: setup demo test sweep lint tests coverage others packages clean

setup: .venv/.for-test

demo: .venv/.for-demo
	@.venv/bin/jprs-client demo

test: packages lint tests coverage others

sweep: packages
	JPRS_SWEEP=1 $(PYTEST) -n 2 --dist worksteal --timeout 3600

packages: .venv/.for-test
	@.ci/packages test

lint: .venv/.for-test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

tests: .venv/.for-test
	$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest -n 2 --dist worksteal

coverage: tests
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report --include 'jprs_client/*' --fail-under 90

others: .venv/.for-test
	@set -eu; here=$$($(PY) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	for python in $$(.ci/python --others "$$here"); do \
	  $$python --version; \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  venv=.venv-$$version; \
	  if [ ! $$venv/.for-test -nt pyproject.toml ]; then \
	    $$venv/bin/python -c '' 2>/dev/null || $$python -m venv --clear $$venv; \
	    $$venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]'; \
	    touch $$venv/.for-test; \
	  fi; \
	  $$venv/bin/python -m pytest -p no:cacheprovider -n 2 -m 'not slow' $(QUICK); \
	done

# -- the virtual environment -------------------------------------------------------------------------------------------

.venv/.for-demo: pyproject.toml
	@.ci/packages demo
	@$(MAKE) --no-print-directory .venv/bin/python
	@echo "Setting up .venv"
	@$(PY) -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/.for-test: pyproject.toml
	@$(MAKE) --no-print-directory .venv/bin/python
	@echo "Setting up .venv"
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[test,ansible]'
	@touch $@ .venv/.for-demo

.venv/bin/python:
	@.ci/python >/dev/null 2>&1 || .ci/packages venv
	@python=$$(.ci/python) && $$python -m venv --clear .venv

clean:
	rm -rf .venv .venv-3.1[123] .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
