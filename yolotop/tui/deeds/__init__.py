"""The action table in rooms: one module per context, pure data.

Owns nothing but the grouping; :mod:`yolotop.tui.keys` puts the table together.
"""
