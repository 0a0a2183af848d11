# docker build -t epo .
# docker run --rm -v "$PWD:/work" -u "$(id -u):$(id -g)" epo demo.epo
#
# The program alone: no Java for ScienceWorld, no Python for environments of one's own, no driver of a GPU. An image that needs them starts from this one.
FROM rust:1.95-bookworm AS build
WORKDIR /epo
COPY . .
RUN cargo build --locked --release --features parquet && strip target/release/epo-run

FROM debian:bookworm-slim
COPY --from=build /epo/target/release/epo-run /usr/local/bin/
COPY --from=build /epo/LICENSE /usr/local/share/doc/epo/
# Settings and caches of whoever it is run as.
ENV HOME=/tmp
WORKDIR /work
# nobody
USER 65534
ENTRYPOINT ["epo-run"]
CMD ["--help"]
