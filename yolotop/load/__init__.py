"""Load on demand: ask one endpoint harder and harder, and say where it bends.

Owns the plan of a load test, its pace, when it ends, and its figures. Must not know
the command line, the config file, the store or any screen; what a question is and how
it is timed are the probe's, what an answer is worth is the judge's.
"""
