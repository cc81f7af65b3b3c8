"""The two looks at pictures on one core: what they tie, what they merge, and what they cost, as JSON.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.looked {photos,clip-art}

Candidates are, for every copy, its original, and for every picture those of other pictures that the demo model's
embedding finds most like it; for clip art, the families of look-alikes too, each with each.
"""

import json
import sys
import time
from itertools import combinations
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from scanner.duplicates import DuplicatesConfig, look
from scanner.duplicates.geometry import Geometry, GeometryConfig, compare, features
from scanner.fingerprints import load_embedder, thumbnail
from tests.benchmarks.edited import ALL, LIGHT, EditedRow, clip_art, edited_set, look_alikes, photo_like

PICTURES = 80
NEIGHBOURS = 4
"""Most similar other pictures of every picture, as the search would propose."""
Pairs = list[tuple[int, int]]
Flags = NDArray[np.bool_]


def most_similar(rows: list[EditedRow]) -> Pairs:
    """Pairs of different pictures, the nearest by the demo model's embedding."""
    embedder = load_embedder("demo")
    vectors = []
    with torch.inference_mode():
        for start in range(0, len(rows), 64):
            batch = torch.stack([embedder.prepare(row.pixels) for row in rows[start : start + 64]])
            vectors.append(embedder._network.encode_image(batch).numpy())
    unit = np.concatenate(vectors)
    unit -= unit.mean(0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    numbers = np.array([row.picture for row in rows])
    cosines = np.where(numbers[:, None] == numbers, -2, unit @ unit.T)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :NEIGHBOURS]
    return sorted({(min(i, j), max(i, j)) for i, row in enumerate(nearest.tolist()) for j in row})


def looked(pictures: list[NDArray[np.uint8]], pairs: Pairs) -> tuple[list[Geometry], Flags, dict[str, Any]]:
    """Both looks at every pair, and the milliseconds and bytes that the geometric one took."""
    config, began = GeometryConfig(), time.process_time()
    kept = [features(pixels, config) for pixels in pictures]
    costs: dict[str, Any] = {"features_ms": 1e3 * (time.process_time() - began) / len(pictures)}
    found, spent = [], []
    for one, other in pairs:
        began = time.process_time()
        found.append(compare(kept[one], kept[other], config))
        spent.append(1e3 * (time.process_time() - began))
    dismissed = [cost for cost, geometry in zip(spent, found, strict=True) if not geometry.inliers]
    costs |= {
        "mean_ms": float(np.mean(spent)),
        "median_ms": float(np.median(spent)),
        "dismissed_ms": float(np.median(dismissed)) if dismissed else None,
        "bytes": max(len(features_.to_bytes()) for features_ in kept),
    }
    small = np.stack([thumbnail(pixels).transpose(2, 0, 1) for pixels in pictures])
    left, right = np.array(pairs).T
    return found, look(small[left], small[right], DuplicatesConfig()).accepted, costs


def measured(originals: list[NDArray[np.uint8]], seed: int = 1) -> dict[str, Any]:
    """Recall by edit, false pairs and cost of a set with all its edits."""
    rows = edited_set(originals, ALL, seed)
    first = {row.picture: place for place, row in enumerate(rows) if row.edit == "original"}
    copies = [(first[row.picture], place) for place, row in enumerate(rows) if row.edit != "original"]
    others = most_similar(rows)
    found, thumbnails, costs = looked([row.pixels for row in rows], copies + others)
    geometry = np.array([one.accepted for one in found])
    tied = (geometry | thumbnails)[: len(copies)]
    edits = np.array([rows[place].edit for _, place in copies])
    wrong = [others[place] for place in np.flatnonzero(geometry[len(copies) :])]
    right = int(geometry[: len(copies)].sum())
    return costs | {
        "copies": len(copies),
        "others": len(others),
        "light": float(tied[np.isin(edits, LIGHT)].mean()),
        "all": float(tied.mean()),
        "edits": {edit: float(tied[edits == edit].mean()) for edit in ALL},
        "wrong": [[rows[i].picture, rows[i].edit, rows[j].picture, rows[j].edit] for i, j in wrong],
        "precision": right / max(right + len(wrong), 1),
    }


def merged_families() -> dict[str, list[int]]:
    """By family: pairs, of these accepted by the geometric look, accepted by the thumbnails, told to share a part."""
    members: dict[str, list[NDArray[np.uint8]]] = {}
    for family, pixels in look_alikes():
        members.setdefault(family, []).append(pixels)
    counts = {}
    for family, pictures in members.items():
        pairs = list(combinations(range(len(pictures)), 2))
        found, thumbnails, _ = looked(pictures, pairs)
        accepted, shared = (sum(getattr(one, name) for one in found) for name in ("accepted", "shared"))
        counts[family] = [len(pairs), accepted, int(thumbnails.sum()), shared]
    return counts


if __name__ == "__main__":
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    result = measured(photo_like(PICTURES) if sys.argv[1] == "photos" else clip_art(PICTURES))
    print(json.dumps(result | {"families": merged_families() if sys.argv[1] == "clip-art" else {}}))
