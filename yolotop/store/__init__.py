"""What can be written and asked, and who keeps it.

Owns the history: probes, events, rollups, states, requests. It must not know config
files, probing or screens: it keeps what it is handed and answers what it is asked.
"""
