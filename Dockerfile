# An image with the program only. docker-compose.yml starts it together with PostgreSQL.
FROM rust:1-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /weber
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/weber/target \
    cargo build --release --locked && cp target/release/weber /usr/local/bin/weber

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home weber \
    && install -d -o weber -g weber -m 700 /data
COPY --from=build /usr/local/bin/weber /usr/local/bin/weber
USER weber
ENV WEBER_DATA=/data WEBER_LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
# The slim image has no curl, so bash sends the request.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5m --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["weber"]
CMD ["serve"]
