"""A Platform-compatible endpoint for one local model, and the tiny models that ship.

Owns engines (bytes in, detections out) and the HTTP application around one of them.
Must not know probes, verdicts, the store or the terminal: it is a server like any
other, so that what yolotop says about it is what it would say about a stranger.
"""
