"""Store → frozen :class:`~yolotop.view.snapshot.Snapshot`: what every face shows.

Owns ranges, aggregation, the filter grammar and the formatting of numbers. It must not
know Textual or Rich, nor how a probe is taken.
"""
