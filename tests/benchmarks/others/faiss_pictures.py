"""The faiss recipe on pictures: the demo model's embeddings (those that `scanner audit --model demo` uses), a cosine.

python -m tests.benchmarks.others.faiss_pictures FOLDER FOUND.json 0.95
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from scanner.fingerprints import load_embedder
from tests.benchmarks.others.faiss_recipe import groups

if __name__ == "__main__":
    embedder, paths = load_embedder("demo"), sorted(Path(sys.argv[1]).iterdir())
    blocks = [paths[start : start + embedder.at_once] for start in range(0, len(paths), embedder.at_once)]
    vectors = [embedder([np.asarray(Image.open(path).convert("RGB")) for path in block]) for block in blocks]
    labels = groups(np.concatenate(vectors).astype(np.float32), float(sys.argv[3]))
    found: dict[int, list[str]] = {}
    for path, label in zip(paths, labels.tolist(), strict=True):
        found.setdefault(label, []).append(path.name)
    Path(sys.argv[2]).write_text(json.dumps({"groups": [names for names in found.values() if len(names) > 1]}))
