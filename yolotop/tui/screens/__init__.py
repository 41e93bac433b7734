"""The screens: the dashboard, and what is laid over it."""
