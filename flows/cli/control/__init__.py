"""Commands of the control plane: automations and alerts."""
