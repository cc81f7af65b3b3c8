"""Template families: pictures that share a part and are not copies of one another: one logo on many products, one frame
around many photos, one form with other words in it. They are told apart from duplicate groups, and never counted there.

The geometry names pairs that clearly share a part (`Geometry.shared`). Joining such pairs into components would chain
strangers: a picture with a common frame and a common icon ties everything that has either. So every family has a
centre, the picture of most such pairs, and every member is compared with it: it is in when the keypoints of the centre
that it matches lie where the others' do. Whoever shares another part of the centre, or none, is tried again with the
rest of the component. Nodes are pictures: a duplicate group counts as one, and pairs within a group say nothing.

Measured on the demo's 1,844 distinct pictures of clip art (`--close-looks 4`: 139 pairs share a part): 83 families of
187 pictures, the largest of 6. By eye all but one share a drawing, a frame or an icon, or are one drawing in other
colours; the one is two round signs, a boot and a walker.

    >>> template_families(pairs, members, features)        # doctest: +SKIP
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates._components import components, new_forest, roots, unite
from scanner.duplicates.geometry import Features, GeometryConfig, common_part, spanned
from scanner.tables import FAMILIES

_SAME_PLACE = 0.06
"""Keypoints of the centre this near to each other lie on the same part, in sides of the square of its area."""
_CORE = 0.5
"""Share of those who match the most matched place of the centre that must match a place for it to be of the part."""
_ON_PART = 0.5
"""Share of a member's matched places that must be of the part."""
_TRIES = 20
"""Centres that a picture is compared with; beyond, only those that it has a pair with: bounds what a hub costs."""

FeaturesOfSample = Callable[[int], Features | None]
"""The features of a picture by its sample_id; None where it can't be read any more."""


@dataclass(frozen=True, kw_only=True)
class _Graph:
    """Pairs that share a part, between pictures."""

    nodes: NDArray[np.int64]
    """(n,) group_id of each picture, or the sample_id of one that stands once; ascending."""
    left: NDArray[np.int64]
    """(p,) positions among the nodes."""
    right: NDArray[np.int64]
    """(p,)"""
    shown: NDArray[np.int64]
    """(n,) the sample_id of each that has most pairs: a row of it whose features there are."""

    def degrees(self, inside: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(n,) pairs of each node with others of these."""
        both = inside[self.left] & inside[self.right]
        return np.bincount(np.concatenate([self.left[both], self.right[both]]), minlength=len(self.nodes))

    def neighbours(self, node: int) -> NDArray[np.int64]:
        return np.concatenate([self.right[self.left == node], self.left[self.right == node]])


@dataclass(frozen=True, kw_only=True)
class _Family:
    centre: int
    """Its node."""
    members: NDArray[np.int64]
    """(m,) the others' nodes."""
    inliers: NDArray[np.int64]
    """(m,) keypoints of the centre on the common part."""
    areas: NDArray[np.float64]
    """(m,) share of the centre that they span."""


def template_families(pairs: pl.DataFrame, members: pl.DataFrame, features: FeaturesOfSample) -> pl.DataFrame:
    """`family_id, sample_id, group_id, centre, inliers, shared_area` of every picture in a family of two or more.

    `pairs` are rows of `PAIRS` of which those with `shared` count; `members` are the rows of `MEMBERS`.
    """
    graph = _graph(pairs.filter(pl.col("shared").fill_null(False)), members)
    rows = [row for part in _components(graph) for family in _families(part, features) for row in _rows(part, family)]
    schema = {name: FAMILIES.schema[name] for name in _COLUMNS}
    found = pl.DataFrame(rows, schema=schema, orient="row")
    grouped = members.select("group_id").unique()
    return found.with_columns(
        group_id=pl.when(pl.col("group_id").is_in(grouped["group_id"].implode())).then("group_id")
    ).sort(FAMILIES.key)


_COLUMNS = ("family_id", "sample_id", "group_id", "centre", "inliers", "shared_area")


def _graph(pairs: pl.DataFrame, members: pl.DataFrame) -> _Graph:
    ends = pl.concat([pairs.select(sample_id="left"), pairs.select(sample_id="right")])
    known = ends.group_by("sample_id").len().join(members.select("sample_id", "group_id"), on="sample_id", how="left")
    known = known.with_columns(node=pl.coalesce("group_id", "sample_id"))
    shown = known.sort("node", "len", "sample_id", descending=[False, True, False])
    shown = shown.unique("node", keep="first", maintain_order=True)
    nodes = shown["node"].to_numpy()
    node_of = known.select("sample_id", "node")
    sides = [
        np.searchsorted(nodes, pairs.join(node_of, left_on=side, right_on="sample_id", maintain_order="left")["node"])
        for side in ("left", "right")
    ]
    ordered = np.unique(np.sort(np.stack(sides), axis=0), axis=1)
    left, right = ordered[:, ordered[0] != ordered[1]].astype(np.int64)
    return _Graph(nodes=nodes, left=left, right=right, shown=shown["sample_id"].to_numpy())


def _components(graph: _Graph) -> Iterator[_Graph]:
    """The graph's connected components, each a graph of its own: what a family costs does not grow with the set."""
    parents = new_forest(len(graph.nodes))
    unite(parents, graph.left, graph.right)
    root = roots(parents, graph.left)
    order = np.argsort(root, kind="stable")
    root = root[order]
    for nodes in components(parents):
        start, stop = np.searchsorted(root, [nodes[0], nodes[0] + 1])
        left, right = (np.searchsorted(nodes, side[order[start:stop]]) for side in (graph.left, graph.right))
        yield _Graph(nodes=graph.nodes[nodes], left=left, right=right, shown=graph.shown[nodes])


def _families(graph: _Graph, features: FeaturesOfSample) -> Iterator[_Family]:
    """The families of one component, that of the picture of most pairs first."""
    inside, tries = np.ones(len(graph.nodes), bool), np.zeros(len(graph.nodes), np.int64)
    while (degrees := graph.degrees(inside)).any():
        centre = int(degrees.argmax())
        inside[centre] = False
        near = np.isin(np.arange(len(inside)), graph.neighbours(centre))
        others = np.flatnonzero(inside & (near | (tries < _TRIES)))
        tries[others] += 1
        family = _around(graph, centre, others, features)
        if family is not None:
            inside[family.members] = False
            yield family


def _around(graph: _Graph, centre: int, others: NDArray[np.int64], features: FeaturesOfSample) -> _Family | None:
    """The family of a centre; None where nobody shares a part with it."""
    config, middle = GeometryConfig(), features(int(graph.shown[centre]))
    if middle is None:
        return None
    parts = np.zeros((len(others), len(middle.keypoints)), bool)
    for row, other in enumerate(others):
        own = features(int(graph.shown[other]))
        if own is not None:
            parts[row] = common_part(middle, own, config)
    same = _on_one_part(parts, middle)
    if not same.any():
        return None
    kept = parts[same]
    areas = np.array([spanned(middle, part) for part in kept])
    return _Family(centre=centre, members=others[same], inliers=kept.sum(1), areas=areas)


def _on_one_part(parts: NDArray[np.bool_], middle: Features) -> NDArray[np.bool_]:
    """Which of (m, k) matches of the centre's keypoints lie on the part that most of them lie on."""
    if not parts.any():
        return np.zeros(len(parts), bool)
    places = middle.keypoints[:, 0] + 1j * middle.keypoints[:, 1]
    near = np.abs(places[:, None] - places) <= _SAME_PLACE
    covered = (parts.astype(np.float32) @ near.astype(np.float32)) > 0
    first = covered[covered[:, covered.sum(0).argmax()]]
    core = first.mean(0) >= _CORE
    same: NDArray[np.bool_] = (parts & core).sum(1) >= _ON_PART * parts.sum(1)
    return same & parts.any(1)


def _rows(graph: _Graph, family: _Family) -> Iterator[tuple[int, int, int, bool, int | None, float | None]]:
    family_id = int(graph.nodes[[family.centre, *family.members]].min())
    yield family_id, int(graph.shown[family.centre]), int(graph.nodes[family.centre]), True, None, None
    for node, inliers, area in zip(family.members, family.inliers, family.areas, strict=True):
        yield family_id, int(graph.shown[node]), int(graph.nodes[node]), False, int(inliers), float(area)
