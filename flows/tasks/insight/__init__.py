"""What runs where, and how well over time, for people: looked at side by side, and shown as tables and pages."""
