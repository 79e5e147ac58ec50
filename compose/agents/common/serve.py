"""Serve the one service of this image: ``python3 -m agents.common.serve [--reload]``."""

import os
import sys

import uvicorn


def main() -> None:
    """Listen until SIGTERM; requests in flight get two seconds to end."""
    uvicorn.run(
        f"agents.services.{os.environ['MODULE']}:app",
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "8000")),
        log_level=os.environ.get("LOG_LEVEL") or "info",
        access_log=os.environ.get("LOG_LEVEL") == "debug",
        timeout_graceful_shutdown=2,
        reload="--reload" in sys.argv,
        reload_dirs=["/app/agents"] if "--reload" in sys.argv else None,
    )


if __name__ == "__main__":
    main()
