"""The same terminal in a browser.

Owns who may connect, the page around the terminal, and that every session ends with
the server. It must not know what the terminal shows: a session is a process of its
own, started like any other. Needs the ``web`` extra.
"""
