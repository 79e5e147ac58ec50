"""Read by Python at its start when this directory is on PYTHONPATH: a worker's run gets its fault this way."""

import json
import os

if "SLIPWAY_TEST_FAULT" in os.environ:
    import fault

    fault.install(fault.Fault(**json.loads(os.environ[fault.VARIABLE])))
