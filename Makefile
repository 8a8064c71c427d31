# docker-wsl-bridge. `make help` lists the targets.

GO       ?= go
export CGO_ENABLED := 0
# One set of flags for builds, vet, staticcheck and tests, so that each package is compiled once.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath -buildvcs=false)
LINK     := -s -w -buildid=
BUILD    := $(GO) build -ldflags "$(LINK)"
# The same program without a console, for what is started at logon.
BUILDGUI := $(GO) build -ldflags "$(LINK) -H windowsgui"
EMBEDDED := internal/deploy/agents
TARGETS  := windows/amd64 windows/arm64 linux/amd64 linux/arm64
TESTS    ?= ./...
FUZZTIME ?= 30s
MINUTES  ?= 10
SEED     ?=
ROUNDS   ?=
ROWS     ?=
COLUMNS  ?=

.PHONY: $(TARGETS:%=vet/%) staticcheck/linux staticcheck/windows reproducible/short help demo story test test-full test-modern soak check reproducible build programs agents resources release bench pictures fuzz clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: build ## run a container through the bridge: install what is missing, start everything, show each step, clean up
	@test/setup
	@$(GO) run ./test/demo

story: build ## draw docs/story.svg, the recording of the README, from a real run
	@test/setup
	@$(GO) run ./test/demo -picture docs/story.svg

test: programs ## all tests in their short forms, with Wine and a real dockerd; installs what is missing
	@test/setup
	$(GO) test -count=1 -parallel 8 -timeout 40m $(TESTS)

# The cases with clients of an engine; those of the bridge's own commands say nothing more with another engine.
MODERN_CASES := ^Test(Attach.*|SignalProxy|NoSignalProxy|ClassicBuild|BuildKit.*|Buildx.*|ExecBulk.*|Copy.*|ClientKilled.*|Compose.*|\
Logs?Follow.*|Events.*|KeepAlive.*|Pipelined.*|Chunked.*|Expect.*|LargeImage.*|SavePiped.*|Python.*|Node.*|BothDirections|\
Version|RunExit.*|RunOutput.*|RunInteractive.*|ParallelRuns|Info|Stats.*|Wait|Top|TerminalAndResize|EngineRestarted.*|DockerThrough.*)$$
empty :=
test-modern: programs ## the cases with clients once more, on a current Docker engine that is built from its Go modules into build/modern
	@test/setup gcc libc6-dev libseccomp-dev pkg-config npm
	@test/modern
	DWB_ENGINE_DIR=$(CURDIR)/build/modern/bin $(GO) test -count=1 -parallel 8 -timeout 60m -run '$(subst $(empty) ,,$(MODERN_CASES))' ./test/e2e

test-full: programs ## the long forms, and the race detector
	@test/setup gcc libc6-dev npm
	@DWB_FULL=1 test/reproducible
	DWB_FULL=1 $(GO) test -count=1 -parallel 8 -timeout 90m $(TESTS)
	CGO_ENABLED=1 $(GO) test -race -count=1 -timeout 20m ./internal/...
	$(GO) run ./test/soak -minutes 2

soak: build ## mixed traffic through whole bridges, with faults thrown in for MINUTES, counted; SEED plays an order of faults again
	@test/setup
	@$(GO) run ./test/soak -json -minutes $(MINUTES) $(if $(SEED),-seed $(SEED))

check: ## gofmt, go vet for every target, staticcheck, and that two builds are the same
	@unformatted=$$(gofmt -l cmd internal release test); [ -z "$$unformatted" ] || { echo "gofmt is needed: $$unformatted"; exit 1; }
	@$(GO) build -o build/staticcheck honnef.co/go/tools/cmd/staticcheck
	@$(MAKE) -s -j 4 $(TARGETS:%=vet/%) staticcheck/linux staticcheck/windows reproducible/short

vet/%:
	@echo "vet $*"; GOOS=$(*D) GOARCH=$(*F) $(GO) vet ./...

staticcheck/%:
	@echo "staticcheck $*"; GOOS=$* build/staticcheck ./...

reproducible/short:
	@test/reproducible

reproducible: ## two builds in two directories, the second without a build cache, are the same
	@DWB_FULL=1 test/reproducible

build: agents resources ## the programs, into build/OS-ARCH
	@for t in $(TARGETS); do \
	  dir=build/$$(echo $$t | tr / -); mkdir -p $$dir; \
	  GOOS=$${t%/*} GOARCH=$${t#*/} $(BUILD) -o $$dir/ ./cmd/docker-wsl-bridge || exit 1; \
	  case $$t in windows/*) \
	    GOOS=$${t%/*} GOARCH=$${t#*/} $(BUILDGUI) -o $$dir/docker-wsl-bridgew.exe ./cmd/docker-wsl-bridge || exit 1;; \
	  esac; \
	done

programs: # the product and what the tests run besides, where they are stale; a test that is run alone sees to its own
	@$(GO) run ./test/programs

agents: # the agents that the programs embed; a new one is put in place only when it differs, whole: others may be building
	@for arch in amd64 arm64; do \
	  mkdir -p build/linux-$$arch; \
	  GOOS=linux GOARCH=$$arch $(BUILD) -o build/linux-$$arch/ ./cmd/docker-wsl-agent || exit 1; \
	  packed=$(EMBEDDED)/agent-linux-$$arch.gz; \
	  new=build/agent-$$arch.$$$$.gz; gzip -9nc build/linux-$$arch/docker-wsl-agent >$$new; \
	  if cmp -s $$new $$packed; then rm $$new; else mv $$new $$packed; fi; \
	done

# What Windows shows of its programs and how it starts them; go build takes it along
# where it is. The version is the source's. Put in place as above.
VERSION = $(shell sed -n 's/^const version = "\(.*\)"$$/\1/p' cmd/docker-wsl-bridge/main.go)
resources:
	@mkdir -p build
	@cd cmd/docker-wsl-bridge && $(GO) tool go-winres make --arch amd64,arm64 --out ../../build/rsrc \
	  --file-version $(VERSION) --product-version $(VERSION)
	@for arch in amd64 arm64; do \
	  made=build/rsrc_windows_$$arch.syso; placed=cmd/docker-wsl-bridge/rsrc_windows_$$arch.syso; \
	  if cmp -s $$made $$placed; then rm $$made; else mv $$made $$placed; fi; \
	done

release: build ## the zips for Windows and their digests, into build/release
	@$(GO) run ./release -version $(VERSION)
	@cat build/release/SHA256SUMS

bench: ## every path to an engine side by side, in 25 minutes at most; ROWS, COLUMNS and ROUNDS for a short one
	@test/setup
	@$(GO) run ./test/bench $(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(ROWS),-rows $(ROWS)) $(if $(COLUMNS),-columns $(COLUMNS)) \
	  $(if $(ROWS)$(COLUMNS),-json build/bench.json,-docs docs/performance.md)

pictures: build ## the pictures of the docs, from a real run
	@test/setup
	DWB_PICTURES=docs $(GO) test -count=1 -run '^TestLiveView$$' ./test/e2e

fuzz: ## every fuzz target for FUZZTIME each
	@for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u); do \
	  for f in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\).*/\1/p' $$dir/*_test.go); do \
	    $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) ./$$dir || exit 1; \
	  done; \
	done

clean: ## remove everything that was built
	rm -rf build $(EMBEDDED)/*.gz cmd/docker-wsl-bridge/*.syso
