"""Make every image of this evidence bundle again from its seed, and compare all pixels with those of the bundle.

    python regenerate.py [--target MODEL] [--device DEVICE]

Needs the package trainset-scanner (the version in bundle.json) and the model. Ends with 0 when all images are equal,
1 when one differs, 2 when the model is another one or can't be asked for images again.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scanner.errors import ScannerError
from scanner.targets import DiffusersTarget, Loading, load_target

BUNDLE = Path(__file__).resolve().parent


def main() -> int:
    """Check the bundle that this file lies in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", help="the model; by default the name or folder that bundle.json gives")
    parser.add_argument("--device", help="where to run it; by default as the attack was told")
    given = parser.parse_args()
    bundle = json.loads((BUNDLE / "bundle.json").read_text(encoding="utf-8"))
    if bundle["loading"] is None:
        print(f"The images of {bundle['target']} were made elsewhere, and there is no model here to make them again.")
        return 2
    loading: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in bundle["loading"].items()
    }
    if given.device:
        loading["device"] = given.device
    try:
        target = load_target(given.target or bundle["target"], Loading(**loading))
    except ScannerError as error:
        print(f"{error} Name the model with --target.")
        return 2
    if target.checksum != bundle["target_checksum"]:
        print(f"{target.name} is another model than the one attacked: its checksum is {target.checksum}.")
        return 2
    worst = [check(BUNDLE / folder, bundle, target) for folder in bundle["hits"]]
    equal = sum(difference == 0 for difference in worst)
    print(f"{equal} of {len(worst)} hits: all images equal.")
    return 0 if equal == len(worst) else 1


def check(folder: Path, bundle: dict[str, Any], target: DiffusersTarget) -> int:
    """Make a hit's images again; returns the largest difference of any pixel, 0 to 255."""
    hit = json.loads((folder / "hit.json").read_text(encoding="utf-8"))
    worst = 0
    for stored in hit["generations"]:
        if stored["file"] is None or stored["seed"] is None:
            continue
        made = target.generate([hit["caption"]], [stored["seed"]], steps=stored["steps"], guidance=bundle["guidance"])
        if (drawn := made[0].image) is None:
            raise ScannerError(f"{target.name} gave no image of seed {stored['seed']}.")
        pixels = (np.nan_to_num(drawn).clip(0, 1) * 255).round().astype(int)
        with Image.open(folder / stored["file"]) as image:
            difference = int(np.abs(pixels - np.asarray(image.convert("RGB"), int)).max())
        said = "equal" if difference == 0 else f"differs by up to {difference} of 255"
        print(f"{folder.name[:16]} seed {stored['seed']}: {said}")
        worst = max(worst, difference)
    return worst


if __name__ == "__main__":
    sys.exit(main())
