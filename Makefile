# All that a developer and CI do with Caesar. It needs Go and make; what else it runs is pinned in
# tools/go.mod and built from source by the go command, but for PostgreSQL, haproxy and nginx, which the
# tests and the benchmark install by themselves as root on Debian.

GO      ?= go
TOOL    := $(GO) tool -modfile=tools/go.mod
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
FUZZTIME ?= 10s
TESTS   ?= ./...

.DEFAULT_GOAL := help
.PHONY: help build run test backends slowest cover fuzz bench bench-quick lint format clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "make %-11s %s\n", $$1, $$2}'

build: ## build the static binary, build/caesar
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o build/caesar ./cmd/caesar

run: ## run the server on ./caesar-data
	$(GO) run ./cmd/caesar serve

# The race detector needs a C compiler. CI has one or fails; anyone else is told what was not looked for.
test: backends ## run all tests, those of TESTS=./internal/vault/... only, for races too where there is a C compiler
	@race=; \
	if command -v "$$($(GO) env CC)" >/dev/null 2>&1; then race=-race; export CGO_ENABLED=1; \
	elif [ "$$CI" = true ]; then echo 'no C compiler is here, so races cannot be looked for: install gcc and libc6-dev' >&2; exit 1; \
	else echo 'no C compiler is here: the tests run without looking for races' >&2; fi; \
	build/backends -- $(TOOL) gotestsum --format pkgname --jsonfile build/test.json --raw-command -- \
		build/backends test $$race -shuffle=on -timeout=30m $(TESTS)

# It runs PostgreSQL and an S3 server while the tests run, and those of e2e a second time on them.
backends:
	@mkdir -p build
	@$(GO) build -o build/backends ./internal/testbed/backends

slowest: ## show the slowest ten of the last tests
	@$(TOOL) gotestsum tool slowest --threshold 1ms --num 10 --jsonfile build/test.json

cover: backends ## run all tests and show how much of each package they reach: build/cover.html
	build/backends -- $(GO) test -shuffle=on -coverpkg=./... -coverprofile=build/cover.out $(TESTS)
	$(GO) tool cover -html=build/cover.out -o build/cover.html
	$(GO) tool cover -func=build/cover.out | tail -n 1

fuzz: ## fuzz every fuzz test for FUZZTIME=10s each
	@grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n 1 dirname | sort -u | while read -r folder; do \
		$(GO) test -list '^Fuzz' "$$folder" | grep '^Fuzz' | while read -r name; do \
			echo "$$folder $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$folder" || exit 1; \
		done || exit 1; \
	done

# A program of its own and not go run, which passes no signal on: what it started would outlive it.
bench: backends ## compare with others, for about half an hour: bench/RESULTS.md
	@mkdir -p build/bench
	@build/backends install nginx postgresql
	@$(GO) build -o build/bench/bench ./bench
	build/bench/bench

bench-quick: backends ## see that the benchmark works, for minutes: build/bench/results
	@mkdir -p build/bench
	@build/backends install nginx postgresql
	$(GO) -C bench/pocketbase test ./...
	@$(GO) build -o build/bench/bench ./bench
	build/bench/bench --quick

lint: ## look for mistakes, for formatting, and for module files that are not as the code needs them
	$(GO) mod verify
	$(GO) mod tidy -diff
	$(GO) -C tools mod tidy -diff
	$(GO) -C bench/pocketbase mod tidy -diff
	$(GO) -C bench/pocketbase vet ./...
	$(TOOL) golangci-lint run --allow-parallel-runners

format: ## format the code as lint demands it
	$(TOOL) golangci-lint fmt

clean: ## remove what was built
	rm -rf build
