# The steps by name. `just` alone lists them.

default:
    @just --list

# The whole suite
test:
    cargo test --locked

# Formatting, lints, docs; warnings are errors
lint:
    cargo fmt --all --check
    cargo clippy --locked --all-targets -- --deny warnings
    RUSTDOCFLAGS="--deny warnings" cargo doc --locked --no-deps --document-private-items

# Everything at full length: the whole simulation with its figures, every request at which a run can be ended
soak:
    ROLECALL_SOAK=1 cargo test --locked --release --test all -- --nocapture

# A fuzz target (`cargo fuzz list`), for eight minutes; `-runs=1000000` and the like are libFuzzer's
fuzz target *options:
    fuzz/run {{target}} {{options}}

# The main job on the embedded Pylon, as the README has it
try:
    cargo run -- apply --sandbox --auto-approve --config examples/acme/users.toml

# The pipelines that others copy: linted, and played against the embedded Pylon
pipelines:
    cargo build --locked --release
    .ci/pipelines

# Whole runs with 10 to 100,000 people (`--million` for more) beside their peers: the table of docs/performance.md
bench *options:
    benches/run {{options}}

# Branch coverage of what decides: the table of docs/reliability.md
coverage:
    .ci/coverage

# What runs before anything lands
ci:
    .ci/run
