"""The file that ``yolotop config init`` writes.

Owns that text and nothing else. It must stay valid as it is and when uncommented.
"""

from __future__ import annotations

from typing import Final

STARTER: Final = """\
# yolotop: which deployed models to watch. Comments stay when yolotop edits this file.
# Every key with its meaning: sample_configs/full.toml in the source.
# After an edit: `yolotop config validate`. A running collector reads it by itself.

[defaults]
interval = "15s"          # how often to ask whether it is up (health)
predict_interval = "60s"  # how often to send an image through the model
timeout = "10s"           # the most that one question may take, all in all

# One section per endpoint. `yolotop add URL --name NAME` writes such a section, too.
#
# [[deployment]]
# name = "dock-cam"
# url = "http://192.168.1.20:8000"
# api_key = "env:DOCK_CAM_KEY"    # or "file:PATH"; never the key itself
# group = "warehouse"
# region = "eu"
# location = [52.52, 13.41]       # latitude, longitude: where the map shows it
# tags = ["edge"]
"""
