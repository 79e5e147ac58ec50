"""The container's healthcheck: exits 0 when /health answers 200. Only the socket module, to start in milliseconds."""

import os
import socket
import sys

with socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=2) as connection:
    connection.sendall(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")
    sys.exit(connection.recv(64).split(b" ")[1:2] != [b"200"])
