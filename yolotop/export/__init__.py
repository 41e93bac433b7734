"""What leaves the history as files or metrics for other tools.

Owns formats. It must not know Textual or probing.
"""
