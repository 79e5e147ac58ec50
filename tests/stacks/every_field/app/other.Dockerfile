FROM debian:trixie-slim AS last
RUN --mount=type=secret,id=renamed sha256sum </run/secrets/renamed >/of-the-secret
COPY --from=more file /of-another-context
CMD ["sleep", "infinity"]

FROM last
RUN false
