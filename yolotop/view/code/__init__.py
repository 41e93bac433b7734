"""One request, written in three languages.

Owns how foreign words (URLs, names, paths) are quoted in each. Must not know where the
request comes from, the screen, or a key: only where one is kept.
"""
