# `make check` is the whole loop before a commit; .ci/run does the same in a fresh
# environment.
.PHONY: install check format lint types contracts test snapshots demo model bench

install:      ## an editable checkout with everything the checks need
	python3 -m pip install -e '.[dev]'

check: lint types contracts test

format:
	ruff check --fix .
	ruff format .

lint:
	ruff check .
	ruff format --check .

types:
	mypy yolotop tests tools bench

contracts:
	lint-imports

test:
	python3 -m pytest -n 4

# In one process: of many, none can tell which pictures are left over.
snapshots:    ## accept how the screens look now; look at them before you commit
	python3 -m pytest tests/tui -n 0 --snapshot-update

bench:        ## the numbers of docs/benchmarks.md; 9 minutes on an idle machine
	python3 -m bench

demo:
	yolotop demo

model:        ## train the shipped model again (needs the yolo extra)
	python3 tools/train_shapes.py
