# rolecall in a container:  docker build --tag rolecall .
#                           docker run --rm --env PYLON_API_TOKEN --volume "$PWD:/files:ro" rolecall plan
# For pipelines that need a shell:  docker build --target ci --tag rolecall-ci .
#
# The images use glibc instead of musl, because the tests run on glibc with its name resolution and allocator.
# The tags are exact versions. If you build your own image, pin them by the digests that your registry shows.
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
# The image has the toolchain of rust-toolchain.toml. This skips its other components, which the build does not need.
ENV RUSTUP_TOOLCHAIN=1.95.0
COPY Cargo.toml Cargo.lock ./
COPY src ./src
COPY benches ./benches
COPY docs/diagnostics.md docs/saved-plan.schema.json ./docs/
COPY examples/acme ./examples/acme
RUN cargo build --locked --release
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN mkdir -p /parts/etc/ssl/certs /parts/usr/local/bin \
    && cp target/release/rolecall /parts/usr/local/bin/ \
    && cp /etc/ssl/certs/ca-certificates.crt /parts/etc/ssl/certs/ \
    && ldd target/release/rolecall | grep --only-matching '/[^ ]*' | xargs cp --parents --dereference --target-directory /parts

# For GitLab and similar systems: with a shell, git, curl, and jq.
FROM debian:12-slim AS ci
# Debian keeps one version per package, so a pinned version would break the build after the next fix.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl git jq \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 65532 --create-home rolecall
COPY --from=build /src/target/release/rolecall /usr/local/bin/rolecall
COPY --chmod=755 examples/ci/rolecall.sh /usr/local/bin/rolecall.sh
USER 65532:65532
WORKDIR /files
CMD ["rolecall", "--help"]

# Only rolecall, its shared libraries, and root certificates: ten megabytes, without a shell.
FROM scratch AS rolecall
COPY --from=build /parts /
USER 65532:65532
WORKDIR /files
ENTRYPOINT ["/usr/local/bin/rolecall"]
CMD ["--help"]
