# All of it lives in .venv.  Another Python:  make clean, then  make test PYTHON=python3.13
PYTHON = python3
PY = .venv/bin/python
MINUTES = 5

.PHONY: lab test search coverage plain notebooks verdicts security site look captures bench clean

lab: .venv/lab,relatives.done  # JupyterLab on the first lesson
	.venv/bin/pingpong lab

test: .venv/lab,test.done  # every test: code, lessons, browser
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m pytest --nbval --nbval-current-env --nbval-cell-timeout=60

search: .venv/lab,test.done  # look for new failures, with fresh seeds: make search MINUTES=60
	$(PY) tests/kit/search.py --minutes $(MINUTES)

# A copy beside the checkout's own, which may be compiled.
coverage: .venv/lab,test.done  # which branches of the pure rooms no test takes
	PINGPONG_COMPILE=0 $(PY) -m pip install -qq --no-deps --upgrade --target build/plain .
	PYTHONPATH="$(CURDIR)/build/plain" .venv/bin/coverage run .venv/bin/pytest -m "not notebook and not once" tests
	.venv/bin/coverage report

plain:  # throw away what was compiled: the source itself runs
	find pingpong -name "*.so" -delete

bench: .venv/lab,test.done  # measure against tshark and capinfos: hours at full size
	$(PY) benchmarks/run.py --markdown

notebooks: .venv/lab,test.done  # run the lessons and store their outputs
	$(PY) notebooks/store.py
	$(PY) notebooks/course.py

verdicts: .venv/lab,test.done  # write docs/verdicts.md: needs the failing cases, ../shared/cases
	$(PY) docs/verdicts.py

security: .venv/lab,test.done  # write docs/security.md: needs ../shared/cases/attacks
	$(PY) docs/security.py

site: .venv/lab,test.done  # the lessons as plain pages: site/index.html
	rm -rf site
	$(PY) notebooks/website.py site

look: .venv/lab,test.done  # run every lesson in a real browser and take pictures: build/look/
	$(PY) tests/kit/browser.py --look build/look

captures: .venv/lab,test.done  # record captures/ again
	$(PY) captures/record.py

clean:
	rm -rf .venv build dist site pingpong.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find pingpong -name "*.so" -delete

# What setup.py compiles: when it changes, it is built again.  `make plain` while you work on it.
SOURCES = $(shell find pingpong -name "*.py")

.venv/built.done: pyproject.toml setup.py $(SOURCES)
	@$(PYTHON) -c 'import sys; sys.version_info < (3, 10) and sys.exit("pingpong needs Python 3.10 or newer, this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 lab")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install -e .
	touch $@

# The stamp is named after the extras that were installed.  What was compiled stays where it is.
.venv/%.done: .venv/built.done
	PINGPONG_COMPILE=0 $(PY) -m pip install -e ".[$*]"
	.venv/bin/pingpong --version
	touch $@
