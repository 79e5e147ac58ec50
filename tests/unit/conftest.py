"""How hypothesis searches: the same cases each time, without a clock, so that a busy machine changes nothing.

HYPOTHESIS_PROFILE=search looks for new ones.
"""

import os

from hypothesis import settings

settings.register_profile("same", max_examples=40, deadline=None, derandomize=True, database=None)
settings.register_profile("search", max_examples=2000, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# A lab that runs beside the tests has settings of its own.
for _name in ("SLIPWAY_SETTINGS", "SLIPWAY_STATE"):
    os.environ.pop(_name, None)
