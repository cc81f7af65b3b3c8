"""What inspect_ai's `json_dataset` makes of a file: [id, input, target, metadata] of each sample, as a JSON file.

Run by inspect_ai's own interpreter: python read_inspect.py SAMPLES OUT
"""

import json
import sys
from pathlib import Path

from inspect_ai.dataset import json_dataset

samples = json_dataset(sys.argv[1])
Path(sys.argv[2]).write_text(
    json.dumps([[sample.id, sample.input, sample.target, sample.metadata] for sample in samples])
)
