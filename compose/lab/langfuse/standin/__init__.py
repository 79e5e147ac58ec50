"""A small Langfuse for the lab: real OTLP goes in, the current read endpoints come out.

It is a stand-in, not a copy: one project, memory only, bounded. What it answers has the form of the official
API description (https://github.com/langfuse/langfuse, `web/public/generated/api/openapi.yml`), which the contract
test checks answer by answer, and what it does not know it refuses instead of making it up.
"""

VERSION = "4.16.0"
"""The server release whose API description this stand-in follows."""
