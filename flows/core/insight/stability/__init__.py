"""How stable a destination was over some days: the numbers of the runbook and of DORA, each with what is behind it."""
