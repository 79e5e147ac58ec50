"""What the benchmarks set in the environment when they are imported is not for the other tests of this process."""

import os
from importlib import import_module
from unittest.mock import patch

with patch.dict(os.environ):
    import_module("benchmarks.lab")
