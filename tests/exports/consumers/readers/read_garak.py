"""What garak's intent service makes of a file of stubs: its texts, as a JSON list in another file.

Run by garak's own interpreter with XDG_DATA_HOME set: python read_garak.py STUBS OUT
"""

import json
import shutil
import sys
from pathlib import Path

import garak._config

stubs = Path(sys.argv[1])
folder = garak._config.transient.data_dir / "data" / "cas" / "intent_stubs"
folder.mkdir(parents=True)
shutil.copy(stubs, folder / f"S003_captions{stubs.suffix}")
garak._config.load_base_config()

from garak.services import intentservice  # noqa: E402 - looks for its folders when it is imported

intentservice.load()
known = {stub.content for stub in intentservice._get_stubs_typology("S003")}
Path(sys.argv[2]).write_text(
    json.dumps([stub.content for stub in intentservice.get_intent_stubs("S003") if stub.content not in known])
)
