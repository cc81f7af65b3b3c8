"""Rows with known neighbours, all pairs by brute force, and a caller that joins what a search gives."""

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._components import components, new_forest, roots, unite
from scanner.duplicates.neighbours import NeighbourConfig, Neighbours, Pairs, Rows

Vectors = NDArray[np.float32]


def unit(vectors: NDArray[np.floating]) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0).astype(np.float32)


def planted(seed: int, rows: int, *, width: int = 48, steep: float = 0.5, copied: float = 0.4, near: float = 0.3):
    """Unit vectors, many of which are copies of another at a distance of up to `near`; spectrum (1 + i)^-`steep`."""
    rng = np.random.default_rng(seed)
    spectrum = (1 + np.arange(width)) ** -steep
    vectors = unit(rng.normal(size=(rows, width)) * spectrum)
    copies = rng.permutation(rows)[: int(copied * rows)]
    shift = unit(rng.normal(size=(len(copies), width)) * spectrum)
    originals = rng.integers(0, max(rows // 5, 1), len(copies))
    vectors[copies] = unit(vectors[originals] + shift * rng.uniform(0, near, (len(copies), 1)).astype(np.float32))
    return vectors @ np.linalg.qr(rng.normal(size=(width, width)))[0].astype(np.float32)


def at_angle(leader: Vectors, towards: Vectors, angle: float) -> Vectors:
    """The unit vector at `angle` from `leader` in the direction of `towards`."""
    rest = towards - (towards @ leader) * leader
    return (np.cos(angle) * leader + np.sin(angle) * rest / np.linalg.norm(rest)).astype(np.float32)


def brute(rows: Rows, cosine: float, *, fresh: int = 0, across: bool = False) -> dict[tuple[int, int], float]:
    """Every pair, left < right, of at least the cosine."""
    found = rows[:] @ rows[:].T
    left, right = np.nonzero(np.triu(found >= cosine, 1))
    wanted = (right >= fresh) & ((left < fresh) | (not across))
    pairs = zip(left[wanted].tolist(), right[wanted].tolist(), strict=True)
    return {pair: float(found[pair]) for pair in pairs}


def groups_of(pairs: list[tuple[int, int]]) -> list[list[int]]:
    return sorted(sorted(part) for part in nx.connected_components(nx.Graph(pairs)))


@dataclass
class Found:
    """What a search gave: pairs of stars, pairs of parts, and the components of both."""

    starred: list[tuple[int, int]]
    paired: list[tuple[int, int]]
    similarity: list[float]
    groups: list[list[int]]
    search: Neighbours


def everything(
    rows: Rows, cosine: float, *, hold: bool = True, close: bool = True, told: bool = False, **config
) -> Found:
    """Ask every part in order, joining what is found; `close`: pairs already joined are not open; `told`: the search
    is told what is joined."""
    search = Neighbours(rows, cosine, NeighbourConfig(**config))
    parents = new_forest(len(rows))

    def together(left, right):
        return roots(parents, left) == roots(parents, right)

    def is_open(left, right):
        return ~together(left, right) if close else np.ones(len(left), bool)

    starred, paired = [], []
    for part in search.star_parts if hold else ():
        found = search.stars(part)
        near = found.similarity >= cosine - 1e-6
        unite(parents, found.leader[near], found.member[near])
        search.hold(found, together(found.leader, found.member))
        starred += zip(found.leader[near].tolist(), found.member[near].tolist(), strict=True)
    for part in search.pair_parts:
        for pairs in search.pairs(part, is_open, (lambda some: roots(parents, some)) if told else None):
            unite(parents, pairs.left, pairs.right)
            paired.append(pairs)
    joined = _joined(paired)
    return Found(
        starred=starred,
        paired=list(zip(joined.left.tolist(), joined.right.tolist(), strict=True)),
        similarity=joined.similarity.tolist(),
        groups=[part.tolist() for part in components(parents)],
        search=search,
    )


def _joined(parts: list[Pairs]) -> Pairs:
    return Pairs(
        left=np.concatenate([np.empty(0, np.int64), *(part.left for part in parts)]),
        right=np.concatenate([np.empty(0, np.int64), *(part.right for part in parts)]),
        similarity=np.concatenate([np.empty(0, np.float32), *(part.similarity for part in parts)]),
    )
