FROM debian:trixie-slim AS last
RUN --mount=type=secret,id=renamed sha256sum </run/secrets/renamed >/of-the-secret
# `more` is a context of the compose file.
# hadolint ignore=DL3022
COPY --from=more file /of-another-context
CMD ["sleep", "infinity"]

FROM last
RUN false
