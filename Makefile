# All of it lives in .venv.  Another Python:  make clean, then  make test PYTHON=python3.13
PYTHON = python3
PY = .venv/bin/python

.PHONY: lab test notebooks captures clean

lab: .venv/lab.done  # JupyterLab on the first lesson
	.venv/bin/pingpong lab

test: .venv/lab,test.done  # every test: code, lessons, browser
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m pytest --nbval --nbval-current-env --nbval-cell-timeout=60

notebooks: .venv/lab,test.done  # run the lessons and store their outputs
	$(PY) notebooks/store.py

captures: .venv/lab,test.done  # record captures/ again
	$(PY) captures/record.py

clean:
	rm -rf .venv build dist pingpong.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# The stamp is named after the extras that were installed.
.venv/%.done: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 10) and sys.exit("pingpong needs Python 3.10 or newer, this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 lab")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install -e ".[$*]"
	touch $@
