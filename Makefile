# Two commands: `make run` and `make test`. A second run installs and fetches nothing.
#
#   make run                      hear and speak once, then serve the app on localhost
#   make run PORT=8000            on that port; 7860 or VOICE_PORT if not given
#   make run FILE=recording.wav   transcribe that too
#   make run ONCE=1               stop before serving
#   make test                     all extras, then the tests

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?=
FILE ?=
ONCE ?=
BIN := .venv/bin

.PHONY: run test clean

run: .venv/installed-app
	@$(BIN)/voice models get whisper-base
	@$(BIN)/python -m voice.demo $(if $(FILE),"$(FILE)")
ifeq ($(ONCE),)
	@$(BIN)/python app.py $(if $(PORT),--port $(PORT))
endif

test: .venv/installed-all
	$(BIN)/python -m pytest

$(BIN)/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/installed-app: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --editable '.[app]'
	@touch $@

.venv/installed-all: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --editable '.[app,train,test]'
	@$(BIN)/python -m pip install --quiet --editable '.[scores]' || echo "PESQ and likeness of voices are left out: they want a C compiler."
	@touch .venv/installed-app $@

clean:
	rm -rf .venv build *.egg-info
