"""The collector: asks every endpoint on a fixed grid and writes down what it heard.

Owns the schedule, the single-writer lock and the collector process. It must not know
Textual or any screen: faces reach it only through the store and the config file.
"""
