# Steps for development. `just` without arguments lists them.

default:
    @just --list

# Run the whole test suite
test:
    cargo test --locked

# Check formatting, lints, and docs, with warnings as errors
lint:
    cargo fmt --all --check
    cargo clippy --locked --all-targets -- --deny warnings
    RUSTDOCFLAGS="--deny warnings" cargo doc --locked --no-deps --document-private-items

# Run the whole simulation, end runs at every request, and print the figures of docs/reliability.md
soak:
    ROLECALL_SOAK=1 cargo test --locked --release --test all -- --nocapture

# Run a fuzz target (`cargo fuzz list`) for eight minutes; options such as `-runs=1000000` go to libFuzzer
fuzz target *options:
    fuzz/run {{target}} {{options}}

# Run the README's apply on the sandbox
try:
    cargo run -- apply --sandbox --auto-approve --config examples/acme/users.toml

# Lint the example pipelines, and play them against the sandbox
pipelines:
    cargo build --locked --release
    .ci/pipelines

# Measure whole runs with 10 to 100,000 people (`--million` for more) and other tools: the table of docs/performance.md
bench *options:
    benches/run {{options}}

# Measure branch coverage of the code that decides: the table of docs/reliability.md
coverage:
    .ci/coverage

# Run everything that must pass before a merge
ci:
    .ci/run
