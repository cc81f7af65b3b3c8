"""What PyRIT's `SeedDataset` makes of a file: [value, name, metadata, data_type, dataset_name] of each prompt, as
a JSON file.

Run by PyRIT's own interpreter: python read_pyrit.py SEEDS OUT
"""

import json
import sys
from pathlib import Path

from pyrit.models import SeedDataset

found = SeedDataset.from_yaml_file(sys.argv[1])
assert found.seeds == list(found.prompts)
Path(sys.argv[2]).write_text(
    json.dumps([[one.value, one.name, one.metadata, one.data_type, one.dataset_name] for one in found.prompts])
)
