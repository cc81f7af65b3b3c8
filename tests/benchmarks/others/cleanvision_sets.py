"""cleanvision (https://github.com/cleanlab/cleanvision): its sets of exact and of near duplicates, all defaults.

python cleanvision_sets.py FOLDER FOUND.json
"""

import json
import sys
from pathlib import Path

from cleanvision import Imagelab

KINDS = ("exact_duplicates", "near_duplicates")

if __name__ == "__main__":
    lab = Imagelab(data_path=sys.argv[1])
    lab.find_issues({kind: {} for kind in KINDS}, verbose=False)
    groups = [[Path(path).name for path in found] for kind in KINDS for found in lab.info[kind]["sets"]]
    Path(sys.argv[2]).write_text(json.dumps({"groups": groups}))
