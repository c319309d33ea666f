# Every target is a thin name for `python tools/run.py TARGET`, which also works where there is no make.
PYTHON ?= $(shell command -v python3 2>/dev/null || echo python)
RUN = @$(PYTHON) tools/run.py

.PHONY: help book test lab serve grade bench experiments exercises format clean

help:
	@echo "make book         execute the chapters and render the site into _build/html"
	@echo "make test         style, unit tests, notebooks, and the built site in a real browser"
	@echo "make lab          JupyterLab on your own copies of the chapters and exercises (my-work/)"
	@echo "make serve        show the built site at http://localhost:8000"
	@echo "make grade        mark notebooks: make grade NOTEBOOKS='path/to/notebook.ipynb …'"
	@echo "make bench        measure layers side by side, and the site: weights, axe, frames, Lighthouse"
	@echo "make experiments  run the long experiments behind the chapters' tables (resumes)"
	@echo "make exercises    make students' notebooks and solution pages from exercises/source"
	@echo "make format       bring the code into the house style"
	@echo "make clean        remove what was built (never your own work)"

book:
	$(RUN) book

test:
	$(RUN) test $(PYTEST)

lab:
	$(RUN) lab $(LAB)

serve:
	$(RUN) serve $(PORT)

grade:
	$(RUN) grade $(NOTEBOOKS)

bench:
	$(RUN) bench $(BENCH)

experiments:
	$(RUN) experiments $(EXPERIMENTS)

exercises:
	$(RUN) exercises $(SETS)

format:
	$(RUN) format

clean:
	$(RUN) clean
