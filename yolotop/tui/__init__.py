"""The terminal: the only room that knows Textual.

Owns what is drawn and which key does what. It must not know probing or collecting: it
shows snapshots, edits the config file and leaves requests in the store.
"""
