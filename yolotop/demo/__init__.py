"""A fleet of real endpoints on loopback, each with its own scripted character.

Owns the characters and the fleet process. It must not know the screens; every number
they show of it was measured by the ordinary collector.
"""
