"""yolotop: a terminal monitor for deployed YOLO models.

Owns the version, nothing else: importing the package must cost nothing, since
``yolotop --version`` runs on the smallest boxes.
"""

__version__ = "0.1.0"
