"""The project's numbers, measured: ``python -m bench``.

Every row is a ratio or a difference of two things measured side by side in one run, so
that it means the same on another machine. Not part of the installed package.
"""
