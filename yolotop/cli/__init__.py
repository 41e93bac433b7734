"""Thin commands, one module per family: stdout is data, stderr is narration.

Owns arguments, exit codes and how errors are told. It must not know how things work.
"""
