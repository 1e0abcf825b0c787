# `make` alone lists the targets.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/wardline/target
# Expanded for each command, so after `prepare` (.cargo/config.toml says why).
export PKG_CONFIG_PATH = $(shell readlink -f .build/tpm2-tss)/lib/pkgconfig

.DEFAULT_GOAL := help
.PHONY: help prepare run test bench bench-peers bench-web deny fuzz screenshots image hw-test

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

prepare: ## install and build what building needs (every other target does it first)
	@.ci/prepare

run: prepare ## a whole box on this machine, on a software TPM; TPM=/dev/tpmrm0 takes a chip, ARGS='...' adds arguments
	@echo 'run: building what has changed; the first time takes some ten minutes'
	@cargo build --locked --package wardline-keys --package wardline-relay --package wardline-client --package wardline-devbox --bins
	@$(CARGO_TARGET_DIR)/debug/wardline-devbox $(if $(TPM),--tpm device:$(TPM)) $(ARGS)

test: prepare ## every check; FUZZ_SECONDS, WARDLINE_SEEDS and WARDLINE_SIM_SECONDS set how long the random ones look
	@.ci/test

BENCH = cargo build --locked --release --package wardline-bench --package wardline-keys --package wardline-relay --bins && \
	without=$$(appliance/bench/without/build) && \
	$(CARGO_TARGET_DIR)/release/wardline-bench compare --runs $${BENCH_RUNS:-5} --into docs/performance.md \
	$$(for one in $$without; do echo "--without $$one"; done)

bench: prepare ## a box against bare QUIC over bare SQLite, some 20 minutes; writes the table of docs/performance.md; BENCH_RUNS (5); then search
	@$(BENCH)
	@$(CARGO_TARGET_DIR)/release/wardline-bench search

bench-peers: prepare ## the same, and ejabberd with its archive in PostgreSQL, both installed from Debian
	@$(BENCH) --ejabberd

bench-web: prepare ## the app by Lighthouse, taken out of a pocket, and with 50,000 messages beside an empty page of the same framework, some 5 minutes; writes its tables of docs/performance.md
	@cargo build --locked --workspace --bins
	@WARDLINE_PROGRAMS=$(CARGO_TARGET_DIR)/debug npm --prefix appliance/web run --silent lighthouse -- --into $(CURDIR)/docs/performance.md
	@WARDLINE_PROGRAMS=$(CARGO_TARGET_DIR)/debug npm --prefix appliance/web run --silent resume -- --into $(CURDIR)/docs/performance.md
	@npm --prefix appliance/web run --silent bench -- --into $(CURDIR)/docs/performance.md

deny: prepare ## licences, sources and forbidden crates only
	@.ci/deny

fuzz: prepare ## the fuzzers only, FUZZ_SECONDS (default 10) each; FUZZ=name runs that one
	@.ci/fuzz $(FUZZ)

screenshots: prepare ## pictures of the app's screens, phone and desk, by day and at night, into docs/pictures/app
	@cargo build --locked --workspace --bins
	@WARDLINE_PROGRAMS=$(CARGO_TARGET_DIR)/debug WARDLINE_PICTURES=$(CURDIR)/docs/pictures/app npm --prefix appliance/web run --silent e2e -- pictures

IMAGE ?= $(CURDIR)/.build/image
IMAGE_CACHE = $(HOME)/.cache/wardline/image

image: prepare ## the appliance image into .build/image, as root; half an hour the first time, then minutes
	@image/build $(IMAGE)

hw-test: image ## boots the image in QEMU and attacks it; ROW=name runs the rows with that in their names
	@cargo build --locked --package wardline-hw-tests --package wardline-client --package wardline-provisioning --bins
	@$(CARGO_TARGET_DIR)/debug/wardline-hw-tests --image $(IMAGE) --tools $(IMAGE_CACHE)/tools --inside image/inside \
		--keys $(or $(WARDLINE_KEYS),$(IMAGE_CACHE)/keys) --work $(IMAGE_CACHE)/boxes \
		--programs $(CARGO_TARGET_DIR)/debug --row '$(ROW)'
