# make demo   from nothing to a verified design, reported
# make test   everything about hafnia that continuous integration runs
# make test-trainer   the same for the trainer, which takes minutes to build
# make lint   format, Clippy, rustdoc and RTL only
CARGO ?= cargo

.PHONY: demo test test-trainer lint rust-lint rtl-lint packages fmt

demo: packages
	$(CARGO) run --release --bin hafnia -- demo

# A test that is skipped, because a data set or numpy is missing, says so on standard error.
test: packages rust-lint rtl-lint
	$(CARGO) test --no-fail-fast

test-trainer:
	$(CARGO) clippy --release -p hafnia-train --all-targets -- -D warnings
	$(CARGO) test --release -p hafnia-train --no-fail-fast

lint: packages rust-lint rtl-lint

rust-lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps

# The library, then what is generated from it: both shipped networks, both readouts.
rtl-lint:
	scripts/lint-rtl.sh
	scripts/lint-builds.sh

packages:
	@scripts/packages.sh

fmt:
	$(CARGO) fmt --all
