# Everything that one does with Aftercare. What is missing is fetched by the ordinary package clients, or named in one line.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

APP := target/debug/aftercare
WASM := target/front/wasm32-unknown-unknown/wasm/aftercare.wasm
PKG := target/site/pkg/aftercare.js
FRONT := --profile wasm --lib --target wasm32-unknown-unknown --target-dir target/front --no-default-features --features hydrate

# Only the browser's half is a module; a native one beside every build of the server would take minutes for nothing.
BUILD_FRONT := cargo rustc $(FRONT) --crate-type cdylib

# The tool must be of the very version that the crate was locked to.
BINDGEN_VERSION := $(shell awk '/^name = "wasm-bindgen"$$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)
BINDGEN_ON_PATH := $(shell wasm-bindgen --version 2>/dev/null | grep -qx 'wasm-bindgen $(BINDGEN_VERSION)' && command -v wasm-bindgen)
BINDGEN_OURS := target/tools/$(BINDGEN_VERSION)/bin/wasm-bindgen
BINDGEN := $(or $(BINDGEN_ON_PATH),$(BINDGEN_OURS))

.PHONY: help run test test-rust test-browser test-release dev lint bench release setup setup-browser front clean FORCE

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: front ## build and serve the demo company on http://127.0.0.1:3000
	cargo build --bin aftercare
	exec $(APP) serve --demo --data-dir data/demo $(ARGS)

test: test-rust test-browser ## every test: Rust on both databases, the browser, accessibility

test-rust: front
	tests/with-postgres.sh cargo test $(ARGS)

test-walk: front ## 100,000 steps of the random walk over the seats of classes, on each database
	AFTERCARE_STEPS=100000 tests/with-postgres.sh cargo test --test it model:: $(ARGS)

test-browser: front setup-browser
	cargo build --bin aftercare
	cd end2end && npx playwright test $(ARGS)

test-release: release ## the executable that operators install: its policy, its packed wasm, its weight
	cd end2end && AFTERCARE_BIN=$(CURDIR)/dist/aftercare npx playwright test --project=release $(ARGS)

dev: front ## watch, build, serve, and again at every change
	end2end/support/watch.sh

lint: setup setup-browser ## formatting and lints, warnings are errors
	cargo fmt --all --check
	cargo clippy --all-targets -- -D warnings
	cargo clippy $(FRONT) -- -D warnings
	cd end2end && npx stylelint --config stylelint.config.mjs "../style/*.css" && npx tsc --noEmit

bench: ## figures, each with its goal beside it
	benches/run.sh $(ARGS)

release: setup setup-browser ## dist/aftercare: one executable with every asset inside
	$(BUILD_FRONT)
	rm -rf target/site/pkg && mkdir -p target/site/pkg dist
	$(BINDGEN) --target web --no-typescript --out-name aftercare --out-dir target/site/pkg $(WASM)
	end2end/node_modules/.bin/wasm-opt -Oz --enable-bulk-memory --enable-nontrapping-float-to-int --enable-reference-types --enable-mutable-globals --enable-sign-ext --enable-multivalue \
		-o target/site/pkg/aftercare_bg.wasm target/site/pkg/aftercare_bg.wasm
	node end2end/support/pack.mjs target/site/pkg/aftercare.js target/site/pkg/aftercare_bg.wasm
	cargo build --release --bin aftercare
	cp target/release/aftercare dist/aftercare
	@ls -l dist/aftercare

# --- What the browser loads: first, because the server embeds it -------------------------------------------------

front: setup $(PKG)

# cargo leaves the file alone when nothing changed; then make does, too.
$(WASM): FORCE
	$(BUILD_FRONT)

$(PKG): $(WASM)
	rm -rf target/site/pkg && mkdir -p target/site/pkg
	$(BINDGEN) --target web --no-typescript --out-name aftercare --out-dir target/site/pkg $(WASM)

# --- What is missing ---------------------------------------------------------------------------------------------

setup: ## the compiler's wasm target and wasm-bindgen
	@command -v cargo >/dev/null || { echo "Rust is missing: install rustup, then again." >&2; exit 1; }
	@command -v cc >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq gcc libc6-dev; } || { echo "A C compiler is missing: apt-get install gcc libc6-dev (macOS: xcode-select --install), then again." >&2; exit 1; }
	@if command -v rustup >/dev/null; then \
		rustup show active-toolchain >/dev/null 2>&1 || rustup toolchain install; \
		rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown; \
		for c in rustfmt clippy; do rustup component list --installed | grep -q "^$$c" || rustup component add $$c; done; \
	fi
	@$(if $(BINDGEN_ON_PATH),:,$(MAKE) --no-print-directory $(BINDGEN_OURS))

# Not optimised: it runs for seconds, and building it well would take minutes.
$(BINDGEN_OURS):
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
		cargo install wasm-bindgen-cli --version $(BINDGEN_VERSION) --root target/tools/$(BINDGEN_VERSION)

setup-browser: end2end/node_modules/.package-lock.json
	@end2end/support/chromium.sh >/dev/null

end2end/node_modules/.package-lock.json: end2end/package.json end2end/package-lock.json
	@command -v npm >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq nodejs npm; } || { echo "Node.js is missing: install Node.js 20 or newer with npm, then again." >&2; exit 1; }
	cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-fund --no-audit
	@touch $@

clean: ## forget what was built
	cargo clean
	rm -rf dist end2end/node_modules end2end/test-results

FORCE:
