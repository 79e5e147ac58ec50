"""Colours, traffic switch, promotion plan, approval."""
