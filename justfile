# Development tasks. Run `just` without arguments to list them.

default:
    @just --list

# Run the full test suite
test:
    cargo test --locked

# Check formatting, lints, and docs, treating warnings as errors
lint:
    cargo fmt --all --check
    cargo clippy --locked --all-targets -- --deny warnings
    RUSTDOCFLAGS="--deny warnings" cargo doc --locked --no-deps --document-private-items

# Run the tests with far more cases, and print the figures for docs/reliability.md
soak:
    ROLECALL_SOAK=1 cargo test --locked --release --test all -- --nocapture

# Run a fuzz target (`cargo fuzz list`) for eight minutes; options such as `-runs=1000000` are passed to libFuzzer
fuzz target *options:
    fuzz/run {{target}} {{options}}

# Run the apply from the README on the sandbox
try:
    cargo run -- apply --sandbox --auto-approve --config examples/acme/users.toml

# Lint the example pipelines and run them against the sandbox
pipelines:
    cargo build --locked --release
    .ci/pipelines

# Benchmark entire runs with 10 to 100,000 people (or more with `--million`) and other tools, for docs/performance.md
bench *options:
    benches/run {{options}}

# Measure the branch coverage of the code that makes decisions, for docs/reliability.md
coverage:
    .ci/coverage

# Run all checks that must pass before a merge
ci:
    .ci/run
