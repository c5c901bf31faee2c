# One set of flags for everything, so that no step compiles again what another
# has compiled. cgo is off as in the released binary.
export GOFLAGS := -trimpath -buildvcs=false
export CGO_ENABLED := 0

BENCH ?= .
FUZZTIME ?= 10s
DATA ?= ../shared/data
TASKS ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## every check, on every CPU; installs what it needs if root
	@scripts/test

.PHONY: quick
quick: ## go vet and the tests on this machine; a minute
	go vet ./...
	go test ./...

.PHONY: vet
vet: ## go vet for every target, with assembly and with plain Go
	@scripts/test 'vet-*'

.PHONY: lint
lint: ## staticcheck, formatting, modules, generated code
	@scripts/test lint fmt modules generated

.PHONY: fmt
fmt: ## format the Go code
	gofmt -l -w .

.PHONY: generate
generate: ## write the *_amd64.s files with gen
	go -C gen generate
	@ls -l *_amd64.s

.PHONY: build
build: ## bin/ragedge for this machine
	@scripts/build bin/ragedge GOFLAGS='-trimpath -buildvcs=auto'
	@ls -l bin

.PHONY: cross
cross: ## build/linux-*/ragedge for every board, and its size
	@scripts/test 'cross-*'

.PHONY: deb
deb: ## Debian packages for arm64, armhf and amd64, in build/release
	@scripts/release deb

.PHONY: release
release: ## the same, tarballs and SHA256SUMS; the same bytes every time
	@scripts/release

.PHONY: board
board: ## test the package on an emulated arm64 board with systemd
	@scripts/test board

.PHONY: bench
bench: ## benchmarks of the kernels; BENCH=Dot chooses
	go test -run '^$$' -bench '$(BENCH)' -benchmem .

.PHONY: mca
mca: ## a model of the arm64 kernels' loops; fails if a goal is missed
	@scripts/test mca

.PHONY: instructions
instructions: ## count the arm64 kernels' instructions again, and keep that
	@scripts/instructions write

.PHONY: demo
demo: ## replay a recorded room and watch it decide
	go run ./cmd/ragedge demo

.PHONY: tasks
tasks: ## train and test the public tasks; half an hour; DATA=DIRECTORY
	go run ./tasks/run -data '$(DATA)' $(TASKS)

.PHONY: tasks-smoke
tasks-smoke: ## three of the tasks with short trainings and floors
	@scripts/test tasks-smoke

.PHONY: python
python: ## the packages of the Python examples, in build/python; 6 GB
	@scripts/python

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (10s)
	@scripts/fuzz $(FUZZTIME)

.PHONY: cover
cover: ## test coverage in all, and by line in build/cover.html
	@mkdir -p build
	go test -coverprofile=build/cover.out ./...
	go tool cover -html=build/cover.out -o build/cover.html
	@go tool cover -func=build/cover.out | tail -n 1

.PHONY: clean
clean: ## remove bin and build
	rm -rf bin build
