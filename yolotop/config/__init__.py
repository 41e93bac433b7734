"""The config file: find, load, validate, watch and edit it; resolve secrets by reference.

Owns everything that is registered. It must not know how a probe is taken, what is
stored or who shows it.
"""
