# Two commands: `make run` and `make test`. A second run installs and fetches nothing.
#
#   make run                      hear and speak once, then serve the app on localhost
#   make run PORT=8000            on that port; 7860 or VOICE_PORT if not given
#   make run FILE=recording.wav   transcribe that too
#   make run ONCE=1               stop before serving
#   make test                     all extras, then the tests: four at once, for many of them wait
#   make test WORKERS=2           two at once, where memory is short: each takes up to 3 GB
#   make check                    style, layout, types, and the site of docs/, into build/site
#   make constraints              write constraints*.txt anew for what pyproject.toml asks; versions that still
#                                 fit stay, but for make constraints UPGRADE=1
#
# What is installed are the exact files that constraints-app.txt (make run) and constraints.txt (all of
# it) list with their hashes; then this project itself, without its dependencies.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?=
FILE ?=
WORKERS ?= 4
ONCE ?=
BIN := .venv/bin

INSTALL := $(BIN)/python -P -m pip install
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make constraints" \
	$(if $(UPGRADE),--upgrade)
BUILD := printf 'pip\nsetuptools>=77\n'

.PHONY: run test check constraints clean

run: .venv/installed-app
	@$(BIN)/voice models get whisper-base
	@$(BIN)/python -m voice.demo $(if $(FILE),"$(FILE)")
ifeq ($(ONCE),)
	@$(BIN)/python app.py $(if $(PORT),--port $(PORT))
endif

test: .venv/installed-all
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: .venv/installed-all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

$(BIN)/python:
	$(PYTHON) -m venv .venv

.venv/installed-app: pyproject.toml constraints-app.txt | $(BIN)/python
	$(INSTALL) --require-hashes --requirement constraints-app.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-all: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --require-hashes --requirement constraints.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(INSTALL) --quiet --editable '.[scores]' || echo "PESQ and likeness of voices are left out: they want a C compiler."
	@touch .venv/installed-app $@

constraints: | $(BIN)/python
	$(INSTALL) --quiet 'uv>=0.9'
	$(BUILD) | $(COMPILE) pyproject.toml - --extra app --extra train --extra test --output-file constraints.txt
	$(BUILD) | $(COMPILE) pyproject.toml - --extra app --constraint constraints.txt --output-file constraints-app.txt

clean:
	rm -rf .venv build *.egg-info
