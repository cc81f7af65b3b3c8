"""imagededup (https://github.com/idealo/imagededup): perceptual hash, default distance of at most 10 of 64 bits.

python imagededup_phash.py FOLDER FOUND.json
"""

import json
import sys
from pathlib import Path

from imagededup.methods import PHash

if __name__ == "__main__":
    alike = PHash(verbose=False).find_duplicates(image_dir=sys.argv[1])
    pairs = {tuple(sorted((name, other))) for name, others in alike.items() for other in others}
    Path(sys.argv[2]).write_text(json.dumps({"pairs": sorted(pairs)}))
