"""Real traffic: what a server counts of its own requests, read from its metrics page.

Owns pages, what servers call things, and what lies between two pages. Must not know who
keeps it. ``exposition`` reads pages, ``profiles`` is the data, ``reading`` compares two
pages, ``scrape`` fetches them.
"""
