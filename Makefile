# `make help` lists the targets. Each installs the system packages it lacks
# (scripts/dependencies.txt) and calls sudo only where root is needed, so run
# make as yourself: Swift is seldom in sudo's PATH.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
ARGS ?=

BINARY := .build/release/tcpstate-trace
VENV := .build/venv
GOLDEN_TESTS := Golden
export PRIVILEGED_TESTS := PrivilegedTests

# A Python with pandas and DuckDB; if you name your own, no venv is made.
export TCPSTATE_TEST_PYTHON ?= $(CURDIR)/$(VENV)/bin/python3
export TCPSTATE_TEST_BINARY ?= $(CURDIR)/$(BINARY)

SUDO := $(if $(filter-out 0,$(shell id -u)),scripts/as-root.sh)
# Progress on a terminal, only errors elsewhere.
SWIFT_BUILD := $(SWIFT) build $(if $(MAKE_TERMOUT),,--quiet)

# lld, because gold warns about mktemp() in the static library. Without a search path for libraries
# ($ORIGIN), which root would follow into a folder that others write to; symbols are bound before main().
HARDENED := -Xswiftc -use-ld=lld --disable-local-rpath -Xlinker -pie -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now
# The same bytes, whatever the folder is called; SwiftPM names a folder of the plugins' outputs after it, and the
# names of cached modules and the hashes for incremental builds (.swift_modhash) depend on it.
PLUGIN_OUTPUTS := .build/plugins/outputs/
IDENTITY := $(shell basename '$(CURDIR)' | tr '[:upper:]' '[:lower:]')
PREFIXES := $(foreach p,$(CURDIR)/ ./ ,$(p)$(PLUGIN_OUTPUTS)$(IDENTITY)=./$(PLUGIN_OUTPUTS)package) \
  $(PLUGIN_OUTPUTS)$(IDENTITY)=$(PLUGIN_OUTPUTS)package $(CURDIR)=.
# Nor the compiler's cache of C modules, which the debug information would name, nor hashes of how each object was made.
REPRODUCIBLE := $(foreach p,$(PREFIXES),-Xswiftc -file-prefix-map -Xswiftc $(p)) -Xcc -ffile-prefix-map=$(CURDIR)=. \
  $(foreach o,-no-clang-module-breadcrumbs -disable-incremental-llvm-codegen,-Xswiftc -Xfrontend -Xswiftc $o)

SWIFT_FILES := Sources Tests Plugins examples bench/pipeline Package.swift
C_FILES := $(wildcard bpf/*.c bpf/*.h Sources/CTCPStateEvent/include/*.h Sources/CCells/include/*.h $(foreach d,CFront CProbe CVerbose,Sources/$d/*.c Sources/$d/include/*.h) bench/*.c bench/pipeline/*.c bench/pipeline/*.h Tests/kernels/guest/*.c Tests/kernels/guest/*.h Tests/faults/*.c)
SHELL_FILES := .ci/run $(wildcard scripts/*.sh packaging/*.sh packaging/*/*.sh) $(addprefix Tests/kernels/guest/,init steps.tracer steps.probe)
CLANG_FORMAT := $(firstword $(foreach c,clang-format-14 clang-format,$(shell command -v $(c) 2>/dev/null)) clang-format)

.DEFAULT_GOAL := help
.PHONY: help run test test-privileged test-wire build install uninstall golden format docs man lint bench bench-gate bench-timewait bench-stuck bench-top test-kernels test-faults test-reproducible refresh-kernels completions packages test-packages fuzz test-sanitize coverage mutate nightly soak bench-summary bench-report deps clean
.NOTPARALLEL: # apt and swift build must each run alone
.PHONY: find-swift test-bundle deps-build deps-test deps-lint deps-bench deps-bench-servers deps-kernels deps-packages deps-test-packages

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build and trace this machine's TCP live; ARGS="-D 443" passes options
	@$(SUDO) $(BINARY) $(ARGS)

test: test-bundle $(if $(filter $(CURDIR)/$(VENV)/%,$(TCPSTATE_TEST_PYTHON)),$(VENV)/installed) ## run all tests, the privileged ones as root
	@scripts/run-tests.sh all

test-privileged: test-bundle ## run only the tests that trace real sockets, as root
	@scripts/run-tests.sh privileged

test-kernels: build deps-kernels ## run the tracer on Debian's kernels, 5.10 to the newest, in QEMU; KERNELS=5.10,newest chooses some
	@python3 -B Tests/kernels/run.py $(TCPSTATE_TEST_BINARY) $(if $(KERNELS),--only $(KERNELS)) \
	  $(if $(KERNELS_WRITE),--write) $(if $(KERNELS_IF_FETCHED),--if-fetched)

test-wire: build deps-test ## compare every fact with a capture and a log of calls, as root; WIRE_CONNECTIONS (300), WIRE_SEED, WIRE_SELF_TEST=1
	@$(SUDO) python3 -B Tests/wire/run.py $(TCPSTATE_TEST_BINARY) --connections $(or $(WIRE_CONNECTIONS),300) \
	  --seed $(or $(WIRE_SEED),1) $(if $(WIRE_KEEP),--keep $(WIRE_KEEP)) $(if $(WIRE_WRITE),--write $(WIRE_WRITE)) $(if $(WIRE_SELF_TEST),--self-test)

refresh-kernels: deps-kernels ## pin the newest version of each kernel in Tests/kernels/kernels.txt
	@python3 -B Tests/kernels/run.py --refresh
	@git diff --stat -- Tests/kernels/kernels.txt

test-sanitize: find-swift deps-build ## run the tests of Core and Report under the address and the thread sanitizer
	@scripts/sanitize.sh address thread

coverage: find-swift deps-build ## show how much of Core and Report the tests run; fails below 90 % of the lines
	@scripts/coverage.sh

mutate: find-swift deps-build ## change the sources in MUTATE_COUNT (200) places, one at a time; fails if the tests notice less than 92 %; MUTATE_SEED
	@python3 -B Tests/mutation/run.py

nightly: bench-gate ## what is too long or too machine-dependent for CI: bench-gate, and 20 changes that the tests have to notice
	@$(MAKE) mutate MUTATE_COUNT=20

soak: build deps-bench .build/bench/churn ## trace churn for SOAK_SECONDS (1800); fails if memory grows
	@$(SUDO) env $(foreach v,SOAK_SECONDS SOAK_RATE SOAK_WRITE,$(if $($(v)),$(v)=$($(v)))) python3 bench/soak.py

test-faults: build .build/faults/inject ## make each system call of each command fail in turn; 1 h; FAULTS="--places 3 --case csv" chooses
	@python3 -B Tests/faults/run.py .build/faults/inject $(BINARY) $(FAULTS)
	@$(SUDO) python3 -B Tests/faults/run.py .build/faults/inject $(BINARY) --live $(FAULTS)

test-reproducible: find-swift deps-build ## build the last commit in two folders, and fail if the binaries differ; 5 min
	@scripts/reproducible.sh

fuzz: build ## fuzz everything that reads foreign bytes, and the whole command; FUZZ_SECONDS (30) each, FUZZ_TARGETS
	@scripts/fuzz.sh $(FUZZ_TARGETS)

build: find-swift deps-build ## build .build/release/tcpstate-trace
	@echo "Building $(BINARY)"
	@$(SWIFT_BUILD) -c release --static-swift-stdlib --product tcpstate-trace $(HARDENED) $(REPRODUCIBLE)

install: ## install to PREFIX (/usr/local) below DESTDIR, with sudo if needed; TCPSTATES=1 links tcpstates
	@[ -n "$$SUDO_USER" ] && [ -d .build/man ] && [ -d .build/completions ] || $(MAKE) --no-print-directory man completions
	@$(AS_OWNER) install -D -m 755 $(BINARY) "$(DESTDIR)$(PREFIX)/bin/tcpstate-trace"
	@$(AS_OWNER) install -d $(foreach d,man/man1 man/man5 $(COMPLETIONS),"$(SHARE)/$d")
	@$(AS_OWNER) install -m 644 .build/man/*.1 "$(SHARE)/man/man1"
	@$(AS_OWNER) install -m 644 .build/man/*.5 "$(SHARE)/man/man5"
	@$(foreach d,$(COMPLETIONS),$(AS_OWNER) install -m 644 .build/completions/$(firstword $(subst -, ,$(subst /, ,$d)))/* "$(SHARE)/$d" &&) :
	@$(if $(TCPSTATES),$(AS_OWNER) ln -sfn tcpstate-trace "$(DESTDIR)$(PREFIX)/bin/tcpstates")
	@echo "Installed $(DESTDIR)$(PREFIX)/bin/tcpstate-trace$(if $(TCPSTATES), and its link tcpstates), man pages and completions"

uninstall: ## remove what install installed
	@$(AS_OWNER) rm -f "$(DESTDIR)$(PREFIX)/bin/tcpstate-trace" "$(SHARE)"/man/man[15]/tcpstate-trace*.[15] \
	  "$(SHARE)"/bash-completion/completions/tcpstate-trace "$(SHARE)"/bash-completion/completions/tcpstates "$(SHARE)"/zsh/site-functions/_tcpstate-trace \
  "$(SHARE)"/fish/vendor_completions.d/tcpstate-trace.fish "$(SHARE)"/fish/vendor_completions.d/tcpstates.fish
	@link="$(DESTDIR)$(PREFIX)/bin/tcpstates"; [ "$$(readlink "$$link")" != tcpstate-trace ] || $(AS_OWNER) rm "$$link"

golden: find-swift deps-build ## rewrite the golden files with what the code prints now
	@UPDATE_GOLDEN=1 $(SWIFT) test --disable-xctest --filter $(GOLDEN_TESTS)
	@git status --short -- Tests

format: find-swift deps-lint ## format Swift and C in place
	@$(SWIFT) format format -i -r -p $(SWIFT_FILES)
	@$(CLANG_FORMAT) -i $(C_FILES)

docs: find-swift deps-build ## make the libraries' pages with DocC, in .build/docs
	@scripts/docs.sh .build/docs

man: build ## make the man pages from the binary's own declarations, in .build/man
	@rm -rf .build/man
	@python3 -B scripts/man.py $(BINARY) .build/man >/dev/null

completions: build ## make the completions for bash, zsh and fish, in .build/completions
	@rm -rf .build/completions
	@python3 -B scripts/completions.py $(BINARY) .build/completions >/dev/null

packages: man completions deps-packages ## make the Debian package, tarball, image and SBOM, in dist/; docs/packaging.md
	@packaging/link-static.sh tcpstate-trace .build/static
	@python3 -B packaging/build.py dist

test-packages: packages deps-test-packages ## install the packages in empty roots and containers, and build them twice; as root; ONLY=deb,tarball,image,shells,twice
	@$(SUDO) env "PATH=$$PATH" python3 -B Tests/packages/run.py dist $(if $(ONLY),--only $(ONLY))

lint: find-swift deps-lint ## check the format of Swift and C, and the scripts
	@$(SWIFT) format lint -r -p --strict $(SWIFT_FILES)
	@$(CLANG_FORMAT) --dry-run -Werror $(C_FILES)
	@shellcheck $(SHELL_FILES)
	@python3 -B scripts/structure.py
	@python3 -B scripts/check-words.py
	@python3 -B scripts/licenses.py
	@echo "lint: clean"

bench: build bench-pipeline deps-bench-servers $(addprefix .build/bench/,churn noop records twin recording) $(VENV)/installed ## measure cost and losses next to other tools; ONLY=churn, BENCH_ROUNDS=5
	@$(SUDO) env $(foreach v,ONLY BENCH_ROUNDS BENCH_CONNECTIONS TCPSTATE_TEST_PYTHON,$(if $($(v)),$(v)=$($(v)))) python3 bench/run.py

bench-gate: build bench-pipeline .build/bench/records ## compare instructions per transition with bench/gate.json; GATE_WRITE=1 renews it
	@$(SUDO) env SWIFT=$$(command -v $(SWIFT)) $(foreach v,GATE_WRITE,$(if $($(v)),$(v)=$($(v)))) python3 -B bench/gate.py

bench-summary: build deps-bench .build/bench/recording $(VENV)/installed ## time summary --read of 10 million rows against DuckDB; BENCH_ROUNDS, BENCH_ROWS
	@$(TCPSTATE_TEST_PYTHON) bench/summary.py .build/bench/recording $(BENCH_ROWS)

bench-report: build $(VENV)/installed ## time making a report of 50,000 connections, and opening it in Chromium; BENCH_ROUNDS, BENCH_CONNECTIONS
	@$(TCPSTATE_TEST_PYTHON) bench/report.py

bench-timewait: build deps-bench .build/bench/churn ## measure what following 50,000 TIME-WAIT sockets costs; 75 s
	@$(SUDO) python3 bench/timewait.py

bench-stuck: build deps-bench ## measure one run of stuck with 50,000 sockets, and of ss -tanp
	@$(SUDO) python3 bench/stuck.py

bench-top: build deps-bench ## measure what top costs with 100,000 sockets; 3 min
	@$(SUDO) python3 bench/top.py

screenshots: build deps-screenshots ## make docs/top.png and docs/report.png again from a real run; 3 min
	@$(SUDO) scripts/screenshots.sh $(BINARY)

deps: deps-build deps-test deps-lint deps-bench deps-bench-servers deps-kernels deps-packages ## install the system packages that all targets need

clean: ## remove everything that was built
	@rm -rf .build dist

# Steps of other targets.

deps-build deps-test deps-lint deps-bench deps-bench-servers deps-kernels deps-screenshots deps-packages deps-test-packages: deps-%:
	@scripts/install-dependencies.sh $*

find-swift:
	@command -v $(SWIFT) >/dev/null || { echo "make: no swift in PATH: install Swift 6.2 or newer (https://www.swift.org/install/linux/) and run make as yourself, not with sudo" >&2; exit 1; }
	@[ ! -e .build ] || [ -w .build ] || { echo "make: .build belongs to $$(stat -c %U .build): run make as that user, or as root: rm -r '$(CURDIR)/.build'" >&2; exit 1; }

test-bundle: build deps-test
	@echo "Building the tests"
	@$(SWIFT_BUILD) --build-tests

$(VENV)/installed: scripts/python-packages.txt | deps-test
	@echo "Installing the Python packages of the tests to $(VENV)"
	@python3 -m venv $(VENV)
	@$(VENV)/bin/python3 -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.PHONY: screenshots deps-screenshots
.PHONY: bench-pipeline
bench-pipeline: find-swift deps-build
	@$(SWIFT_BUILD) -c release --static-swift-stdlib --product bench-pipeline

.build/bench/%: bench/%.c | deps-bench
	@mkdir -p $(@D)
	@$(CC) -O2 -Wall -Wextra -Werror -pthread $< -o $@

.build/bench/noop: bench/noop.c | deps-bench
	@mkdir -p $(@D)
	@$(CC) -O2 -Wall -Wextra -Werror $< -o $@ -lbpf -lelf -lz

.build/faults/inject: Tests/faults/inject.c | deps-bench
	@mkdir -p $(@D)
	@$(CC) -O2 -Wall -Wextra -Werror $< -o $@

.build/bench/records .build/bench/twin: .build/bench/%: bench/pipeline/%.c $(wildcard bench/pipeline/*.h) | deps-bench
	@mkdir -p $(@D)
	@$(CC) -O2 -Wall -Wextra -Werror -ISources/CTCPStateEvent/include $< -o $@

# Folders of completions below share/; the first word is the shell's name.
COMPLETIONS := bash-completion/completions zsh/site-functions fish/vendor_completions.d
SHARE = $(DESTDIR)$(PREFIX)/share

# sudo, unless the nearest folder that exists is writable.
AS_OWNER = $(if $(SUDO),$(shell d="$(DESTDIR)$(PREFIX)/bin"; while [ ! -e "$$d" ]; do d=$$(dirname "$$d"); done; [ -w "$$d" ] || echo $(SUDO)))
