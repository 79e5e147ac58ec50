"""A template that begins quickly: it imports what a fork needs, and no flow. ROOT is the code that it looks at."""

import os
import socket
import sys
from functools import partial
from pathlib import Path

from flows.worker.code_state import base_path, code_state, interpreter_variables
from flows.worker.imported import Imported
from flows.worker.template import Template

if __name__ == "__main__":
    look = partial(code_state, Path(os.environ["ROOT"]))
    imported = Imported(look(), interpreter_variables(os.environ), base_path(os.environ), list(sys.path))
    Template(socket.socket(fileno=int(sys.argv[1])), sys.stdin.fileno(), look, imported).serve()
