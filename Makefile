# The front door. `make help` lists what is here; the work is done by CMake presets and scripts/.
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
# Sanitizers look for a program named llvm-symbolizer; Debian's has the version in its name.
symbolizer := /usr/lib/llvm-19/bin/llvm-symbolizer
export ASAN_OPTIONS ?= external_symbolizer_path=$(symbolizer)
export UBSAN_OPTIONS ?= print_stacktrace=1:external_symbolizer_path=$(symbolizer)
export TSAN_OPTIONS ?= external_symbolizer_path=$(symbolizer)

.DEFAULT_GOAL := build
.PHONY: help deps build debug test unit interop upstream client client-go kube ocm test-chart image chart tsan fuzz format lint tidy demo demo-ocm bench clean standalone monitoring test-e2e demo-kubernetes bench-kubernetes

help: ## show this list
	@echo "cluster-proxy: reach every service of many clusters through tunnels that they dial out."
	@echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort -s -t: -k1,1 | \
	  awk -F':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'
	@echo
	@echo "Start with: make demo.   Variables: JOBS=$(JOBS) FUZZ_SECONDS=$(FUZZ_SECONDS) KEEP=1 (demo)"

deps: ## install the Debian packages that are missing (root or sudo)
	@scripts/install-deps

build: ## build the release program into build/release/bin (what plain `make` does)
	@scripts/install-deps build
	@scripts/build release $(JOBS) cluster-proxy

debug: ## build everything with AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/install-deps build
	@scripts/build debug $(JOBS)

test: ## everything that proves the project: unit tests, sanitizers, real peers
	@scripts/install-deps
	@JOBS=$(JOBS) scripts/test

unit: debug ## unit tests only, under the sanitizers
	@ctest --preset debug -j $(JOBS)

test-chart: build ## the Helm chart by the real helm and kube-apiserver, and the image in a sandbox (root)
	@scripts/install-deps test
	@scripts/test chart

test-e2e: build ## the add-on in real pods, in clusters that only dial out (root); TEST=file or file.Class.method
	@scripts/install-deps test image
	@tests/kubernetes/run.sh $(TEST)

image: build ## the container image, build/image/cluster-proxy.oci.tar; needs no container engine
	@scripts/install-deps image
	@scripts/image/build

chart: ## package the Helm chart into build/chart
	@scripts/chart

tsan: ## unit tests under ThreadSanitizer
	@scripts/install-deps build
	@scripts/build tsan $(JOBS)
	@ctest --preset tsan -j $(JOBS)

upstream: build ## the reference project's own behaviour tests against our programs
	@scripts/install-deps test
	@scripts/test upstream

interop: build ## our programs against the Go server, agent and clients, in all pairings
	@scripts/install-deps test
	@scripts/test interop

client: build ## the client's commands with real ssh, curl, kubectl, through our server and the reference's
	@scripts/install-deps test
	@scripts/test client

client-go: build ## client-go through the tunnel to a real kube-apiserver
	@scripts/install-deps test
	@scripts/test client_go

kube: debug build ## the Kubernetes library and the programs that use it against a real kube-apiserver
	@scripts/install-deps test
	@scripts/test kube

ocm: build ## the add-on on a real Open Cluster Management hub, with managed clusters
	@scripts/install-deps test
	@scripts/test ocm

standalone: build ## server, agent and client on three machines without Kubernetes, as network namespaces; as root
	@scripts/install-deps test
	@scripts/test standalone

monitoring: build ## the alerts and the dashboard in a real Prometheus
	@scripts/install-deps test
	@scripts/test monitoring

fuzz: ## run every fuzz target for FUZZ_SECONDS seconds
	@scripts/install-deps build
	@scripts/build fuzz $(JOBS)
	@scripts/fuzz $(FUZZ_SECONDS)

format: ## rewrite the sources in the project's format
	@scripts/format

lint: ## format check and the project's own rules; seconds
	@scripts/format --check
	@tools/lint
	@scripts/check-shell

tidy: debug ## clang-tidy over all sources; results are cached, so a second run is quick
	@tools/tidy --jobs $(JOBS)

demo: build ## show the job being done: a hub, two clusters, real services
	@scripts/install-deps demo
	@demo/run

demo-ocm: build ## the add-on installed on a real Open Cluster Management hub, and used
	@scripts/install-deps test
	@demo/ocm

demo-kubernetes: build ## the add-on in real pods: installed by helm, used, disturbed, removed (root); KEEP=1 leaves it up
	@scripts/install-deps test image
	@tests/kubernetes/run.sh --demo

bench-kubernetes: build ## figures of the add-on in real pods, into docs/benchmarks-kubernetes.md (root)
	@scripts/install-deps test image
	@tests/kubernetes/run.sh --bench

bench: build ## ours beside the reference and others; CASE=, REPEATS=, QUICK=1 narrow it down
	@scripts/install-deps bench
	@bench/run $(if $(QUICK),--quick) $(if $(REPEATS),--repeats $(REPEATS)) $(CASE)

clean: ## remove build/
	@rm -rf build
