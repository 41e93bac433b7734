"""The SQLite back end: one file, one writer, any number of readers.

Owns all SQL and the layout of the file. It must not know the network, the judge's
rules or any face. Nothing outside imports from here but ``store/open.py``.
"""
