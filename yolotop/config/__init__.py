"""The config file: find, load, validate, watch, edit; secrets by reference.

Owns everything that is registered. It must not know how a probe is taken, what is
stored or who shows it.
"""
