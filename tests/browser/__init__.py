from tests.support.lab.lab import use_settings

use_settings()  # before Prefect is imported
