# `make demo` shows what Escriba does; `make test` runs every test. Both install what is missing first.

SWIFT ?= swift
PYTHON ?= python3
PREFIX ?= /usr/local
PACKAGES := libicu-dev zlib1g-dev libssl-dev
# By the toolchain's own linker: the system's warns of what Foundation contains.
RELEASE := -c release --static-swift-stdlib -Xswiftc -use-ld=lld
# The commit that --version names, with a + if files have changed.
COMMIT = $(shell { git rev-parse --short=12 HEAD 2> /dev/null && { git diff --quiet HEAD || echo +; }; } | tr -d '\n')
BIN = $(shell $(SWIFT) build $(RELEASE) --show-bin-path)
TEST := -c release -Xswiftc -enable-testing --scratch-path .build-tests
SOURCES := Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources Fuzz Server/Package.swift Server/Sources Server/Tests

.PHONY: setup build program serve mpi manual package check-package demo test test-server golden help-screens lint format bench bench-peers bench-server soak torture fuzz sanitize check-cluster check-library check-pages lecture lecture-full docs install corpora clean

# As root or with sudo; does nothing if nothing is missing.
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

# The one program that has all commands.
program: setup
	ESCRIBA_COMMIT=$(COMMIT) $(SWIFT) build $(RELEASE) --product escriba

# `escriba serve`: a package of its own, whose dependencies nobody else needs. Six minutes on two cores.
serve: program
	$(SWIFT) build --package-path Server $(RELEASE) --scratch-path .build-server --product escriba-serve
	@install -m 755 .build-server/release/escriba-serve $(BIN)/escriba-serve
	@echo "to write with a model: $(BIN)/escriba serve FOLDER-OR-MODEL"

demo: program
	@ESCRIBA=.build/release/escriba CORPORA=corpora sh Scripts/demo.sh $(if $(TEXT),"$(TEXT)")

# The Unicode Consortium's own tests, read from where Debian installs them. Where Open MPI is installed, it is tested too: .ci/run
# names its packages in TEST_PACKAGES.
TEST_PACKAGES :=
test: PACKAGES += unicode-data bzip2 $(TEST_PACKAGES)

# Numeric code is a hundred times slower without optimisation, so the tests run optimised; a few run again in a debug
# build, where assertions are checked too.
test: setup
	$(SWIFT) build $(TEST) --build-tests
	$(SWIFT) test $(TEST) --skip-build
	$(SWIFT) test --scratch-path .build-debug --filter CheckedRunTests

# The server's, with REQUESTS malformed requests.
test-server: setup
	$(SWIFT) build --package-path Server $(subst .build-tests,.build-server-tests,$(TEST)) --build-tests
	$(SWIFT) test --package-path Server $(subst .build-tests,.build-server-tests,$(TEST)) --skip-build

# Records the results of the golden trainings with this compiler, beside those with other compilers: see GoldenTests.
golden: setup
	$(SWIFT) build $(TEST) --build-tests
	GOLDEN_RECORD=$(CURDIR)/Tests/TrainingTests/Fixtures/golden.json $(SWIFT) test $(TEST) --skip-build --filter GoldenTests

# Writes the help screens that the tests compare with.
help-screens: setup
	$(SWIFT) build $(TEST) --build-tests
	for command in escriba train sample perplexity inspect; do \
		COLUMNS=80 .build-tests/release/$$command --help > Tests/CommandTests/Help/$$command.txt || exit 1; \
	done

# Foundation itself would bring a second ICU into every program; FoundationEssentials does not.
lint:
	@! grep -rnE '^([a-z@]+ )*import Foundation$$' Sources Server/Sources
	$(SWIFT) format lint --strict --recursive $(SOURCES)

format:
	$(SWIFT) format --in-place --recursive $(SOURCES)

bench: setup
	cd Benchmarks && $(SWIFT) run -c release --scratch-path ../.build-benchmarks benchmarks

# The same beside PyTorch, if `$(PYTHON)` has it; takes half an hour at most.
bench-peers: setup
	cd Benchmarks && $(SWIFT) run -c release --scratch-path ../.build-benchmarks benchmarks \
		--peer "$$($(PYTHON) -c 'import torch, sys; print(sys.executable)')"

# The server with an LSTM of 2 layers of 256 units at 1, 8, 32 and 128 clients; and sixteen clients for MINUTES, with its memory.
MINUTES ?= 10
bench-server soak: PACKAGES += wrk curl
bench-server soak: build serve
	mkdir -p .build-pages
	$(BIN)/train corpora/book/the-river-year.txt --cell lstm --layers 2 --hidden 256 --time-limit 20s --quiet \
		--output .build-pages/bench.safetensors --overwrite
	bash Scripts/with-server.sh $(BIN)/escriba-serve .build-pages/bench -- sh -c \
		'bash Scripts/$(if $(filter soak,$@),soak,bench)-server.sh $$URL $(if $(filter soak,$@),$$SERVER $(MINUTES))'

# 200 trainings killed at random instants, and 50 whose disk fills up: all must end like undisturbed ones. Then 100,000
# damaged checkpoints. The disks need root.
RUNS ?= 200
torture: build
	cd Benchmarks && $(SWIFT) build -c release --scratch-path ../.build-benchmarks --product torture
	.build-benchmarks/release/torture $(BIN) corpora/el-cuaderno.txt $(RUNS)
	@disk=$$(mktemp -d) && mount -t tmpfs -o size=1500k none $$disk && \
		{ .build-benchmarks/release/torture $(BIN) corpora/el-cuaderno.txt $$(($(RUNS) / 4)) $$disk; status=$$?; \
		umount $$disk; rmdir $$disk; exit $$status; }
	$(SWIFT) build $(TEST) --build-tests
	MUTATIONS=100000 $(SWIFT) test $(TEST) --skip-build --filter MutationTests

# libFuzzer for the readers of checkpoints and texts and for the sampler, EXECUTIONS each. Links with lld, because gold fails.
EXECUTIONS ?= 200000
FUZZ := -c release -debug-info-format none -Xswiftc -enable-testing -Xswiftc -sanitize=fuzzer \
	-Xswiftc -parse-as-library -Xswiftc -use-ld=lld --scratch-path .build-fuzz
fuzz: setup
	ESCRIBA_FUZZ=1 $(SWIFT) build $(FUZZ) --product fuzz
	mkdir -p .build-fuzz/corpus/checkpoint .build-fuzz/corpus/text .build-fuzz/corpus/sampler
	cp Tests/CharacterModelTests/Fixtures/*.safetensors .build-fuzz/corpus/checkpoint
	for target in sampler text checkpoint; do \
		SWIFT_BACKTRACE=enable=no .build-fuzz/release/fuzz $$target .build-fuzz/corpus/$$target -runs=$(EXECUTIONS) \
			-max_len=30000 -artifact_prefix=.build-fuzz/ -print_final_stats=1 || exit 1; \
	done

# ThreadSanitizer and AddressSanitizer over the modules. Tests keep the owners of their views alive on purpose, which is not a leak;
# the sanitizers' allocators cannot show what is allocated from the system, so that test is skipped.
SANITIZED := --skip-build --skip CellTests/allocation --filter "LinearAlgebraTests|RecurrentNetworkTests|ClusterTests|TokenizationTests|CharacterModelTests|TrainingTests"
sanitize: PACKAGES += unicode-data bzip2
sanitize: setup
	for sanitizer in thread address; do \
		options="-c release -Xswiftc -enable-testing --sanitize=$$sanitizer --scratch-path .build-$$sanitizer"; \
		$(SWIFT) build $$options --build-tests && ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test $$options $(SANITIZED) || exit 1; \
	done

# The pages, driven in headless Chromium; pictures of them are in .build-pages.
check-pages: PACKAGES += chromium chromium-driver fonts-noto-core python3
check-pages: build serve
	bash Scripts/check-pages.sh $(BIN) .build-pages
	bash Scripts/check-writing-page.sh $(BIN) .build-pages

# What a lecture says of recurrent networks, measured on TEXT: lecture.html and lecture.json. It goes on where it was interrupted.
# lecture takes a quarter of an hour, lecture-full about an hour.
PAGE_LANGUAGE ?= en
lecture lecture-full: setup
	$(SWIFT) build $(RELEASE) --product lecture
	$(BIN)/lecture "$(or $(TEXT),corpora/book/the-river-year.txt)" --plan $(if $(filter lecture-full,$@),full,lesson) \
		--language $(PAGE_LANGUAGE) --output $@.html

# Both MPI libraries, two machines joined by a slow link, faults, and speed; needs root. A quarter of an hour.
check-cluster: PACKAGES += openmpi-bin libopenmpi-dev mpich libmpich-dev iproute2
check-cluster: build mpi
	bash Scripts/check-cluster.sh $(BIN) corpora/el-cuaderno.txt

# Builds a package outside this one against the committed libraries.
check-library: setup
	bash Scripts/check-library.sh

# The reference pages of the libraries, for a browser; any warning is an error. Start at the page printed at the end.
DOCS := .build-docs/site
docs: setup
	mkdir -p $(DOCS)
	for target in Tokenization CharacterModel Training; do \
		ESCRIBA_DOCS=1 $(SWIFT) package --scratch-path .build-docs --allow-writing-to-directory $(DOCS) \
			generate-documentation --target $$target --output-path $(DOCS)/$$target --warnings-as-errors \
			--transform-for-static-hosting --hosting-base-path $$target || exit 1; \
	done
	@echo "the pages are in $(DOCS); to read them: cd $(DOCS) && python3 -m http.server, then /CharacterModel/documentation/charactermodel"

# The plug-ins for `mpirun` and `srun`, beside the commands: one for each MPI library whose compiler is installed
# (Debian: libopenmpi-dev, libmpich-dev). See docs/cluster.md.
MPI := openmpi mpich
mpi: setup
	@mkdir -p $(BIN); built=""; for library in $(MPI); do \
		command -v mpicc.$$library > /dev/null || continue; \
		mpicc.$$library -O2 -Wall -Wextra -Werror -Wno-stringop-overflow -fPIC -shared -I Sources/CMPI/include Plugins/mpi.c \
			-o $(BIN)/libescriba-$$library.so || exit 1; \
		echo "libescriba-$$library.so is in $(BIN)"; built=yes; \
	done; \
	[ -n "$$built" ] || { echo "no MPI library is installed; on Debian: apt install libopenmpi-dev" >&2; exit 1; }

# The tool of swift-argument-parser that writes manual pages.
MANUAL := .build-manual/debug/generate-manual
manual:
	$(SWIFT) build -q --scratch-path .build-manual --product generate-manual

# As root only if the folder needs it; what needs the compiler is done before. A system that keeps no licences has them elsewhere.
install: program manual
	@bash Scripts/package/licences.sh > .build-manual/copyright || true
	@if mkdir -p "$(DESTDIR)$(PREFIX)/bin" 2> /dev/null && [ -w "$(DESTDIR)$(PREFIX)/bin" ]; then run=""; else run=sudo; fi; \
		$$run bash Scripts/package/install.sh $(BIN)/escriba $(MANUAL) .build-manual/copyright "$(DESTDIR)" "$(PREFIX)"
	@echo "escriba is in $(DESTDIR)$(PREFIX)/bin"

# Packages for machines without Swift, into dist/: see docs/releasing.md.
package: PACKAGES += gcc icu-devtools chrpath xz-utils libopenmpi-dev libmpich-dev
package: setup manual
	ESCRIBA_COMMIT=$(COMMIT) bash Scripts/package/build.sh .build-package
	ESCRIBA_COMMIT=$(COMMIT) bash Scripts/package/package.sh .build-package $(MANUAL)

# Installs the packages in bare systems, uses them and removes them; needs root.
check-package: PACKAGES += debootstrap lintian
check-package: setup
	bash Scripts/package/check.sh dist

# Texts of eight languages from Debian's packages; corpora/README.md says which.
corpora:
	bash Scripts/corpora.sh

clean:
	rm -rf dist .build .build-docs .build-manual .build-package .build-tests .build-debug .build-benchmarks .build-fuzz .build-pages .build-thread .build-address .build-server .build-server-tests
