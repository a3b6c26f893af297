# `make demo` shows what Escriba does; `make test` runs every test. Both install what is missing first.

SWIFT ?= swift
PYTHON ?= python3
PREFIX ?= /usr/local
PACKAGES := libicu-dev zlib1g-dev libssl-dev
RELEASE := -c release --static-swift-stdlib
BIN = $(shell $(SWIFT) build $(RELEASE) --show-bin-path)
TEST := -c release -Xswiftc -enable-testing --scratch-path .build-tests
SOURCES := Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources

.PHONY: setup build demo test lint format bench bench-peers install corpora clean

# As root or with sudo; does nothing where nothing is missing.
setup:
	@missing=""; for package in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ]; then run=""; else run=sudo; fi; \
		echo "installing$$missing"; \
		$$run apt-get update -qq && $$run env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $$missing; \
	fi

build: setup
	$(SWIFT) build $(RELEASE)
	@echo "the commands are in $(BIN)"

demo: build
	@BIN=$(BIN) sh Scripts/demo.sh

# The Unicode Consortium's own tests, which are read where Debian puts them.
test: PACKAGES += unicode-data bzip2

# Numeric code is a hundred times slower without optimisation, so the tests run optimised; a few run again in a debug
# build, where assertions are checked too.
test: setup
	$(SWIFT) build $(TEST) --build-tests
	$(SWIFT) test $(TEST) --skip-build
	$(SWIFT) test --scratch-path .build-debug --filter CheckedRunTests

lint:
	$(SWIFT) format lint --strict --recursive $(SOURCES)

format:
	$(SWIFT) format --in-place --recursive $(SOURCES)

bench: setup
	cd Benchmarks && $(SWIFT) run -c release --scratch-path ../.build-benchmarks benchmarks

# The same beside PyTorch, where `$(PYTHON)` has it; half an hour at most.
bench-peers: setup
	cd Benchmarks && $(SWIFT) run -c release --scratch-path ../.build-benchmarks benchmarks \
		--peer "$$($(PYTHON) -c 'import torch, sys; print(sys.executable)')"

install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	install $(BIN)/train $(BIN)/sample $(BIN)/perplexity $(DESTDIR)$(PREFIX)/bin

# Texts of eight languages from Debian's packages; corpora/README.md says which.
corpora:
	bash Scripts/corpora.sh

clean:
	rm -rf .build .build-tests .build-debug .build-benchmarks
