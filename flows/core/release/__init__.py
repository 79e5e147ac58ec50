"""One immutable build: image plan, build, push, publish, the release document."""
