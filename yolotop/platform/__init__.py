"""Ultralytics Platform as a source: its live contract, read leniently.

Owns what is asked of the Platform's control plane and what its answers mean. It must
not know the config file, the store, the collector or a screen. Of three generations of
that API only the one with owner and deployment slugs in its paths is alive; shapes and
quirks are those of its contract (ultralytics/sdk) and of answers that were captured.
"""
