"""Why a service is not well: overview, collectors, evidence, diagnosis, bundle."""
