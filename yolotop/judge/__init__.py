"""What we think of an answer. Pure: no I/O, no clock, no sockets, no files.

Owns verdicts, the health machine, histograms. It must not know where answers come
from or who stores what it says.
"""
