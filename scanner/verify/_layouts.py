"""The layouts that an attack looks for: those of the originals behind its prompts, each made once.

>>> layouts = Layouts(units, originals)                                    # doctest: +SKIP
>>> layouts.near(images)[0]                                                # doctest: +SKIP
((3, 0.041),)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.attack import NEEDED, agreement, as_unit
from scanner.verify._originals import Originals
from scanner.verify._template import InCells, Template, as_bytes, common_layout, layout_l2, masked_l2
from scanner.verify._thresholds import TEMPLATE_CEILING

MEMBERS = 16
"""Originals of which a layout is made, at most, spread evenly over them."""
FEWEST = 3
"""Pictures that a group or a caption must have for a layout: two that differ are told apart by their whole."""
_ROUNDING = 1e-4
"""What float32 can add to a bound."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Originals that belong together."""

    members: tuple[int, ...]
    """Sample ids of different pictures."""
    variants: bool
    """Whether they are pictures of their own (a family, or what stands under one caption), so that an image must say
    which it shows; edits of one picture (a duplicate group) are one whatever they show."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """One layout and the originals that have it."""

    template: Template
    """Mask and median picture."""
    members: tuple[int, ...]
    """Sample ids of the originals that it was made of."""
    references: tuple[Floats, ...]
    """The median picture (size, size, 3) on [0, 1], and as the target's autoencoder gives it back, where it has one."""
    cells: tuple[InCells, ...]
    """Of the references."""


@dataclass(frozen=True, kw_only=True)
class ShownLayout:
    """A layout that images of one prompt show."""

    l2: float
    """At which two of them show it."""
    area: float
    """Share of the picture that it covers."""
    distances: tuple[float, ...]
    """l2 of each image in the layout."""
    sample_id: int
    """The original: of the layout's, that whose masked region is nearest to the best image."""


class Layouts:
    """Layouts of units: originals that belong together."""

    def __init__(self, units: Sequence[Unit], originals: Originals) -> None:
        """Units of at least two pictures each; one whose pictures have no layout is passed over."""
        self.originals = originals
        self._layouts = list[Layout]()
        self._of: dict[int, list[int]] = {}
        for unit in units:
            layout = _layout(unit.members, originals)
            if layout is None:
                continue
            for member in unit.members if unit.variants else ():
                self._of.setdefault(originals.group_of.get(member, member), []).append(len(self._layouts))
            self._layouts.append(layout)

    def __len__(self) -> int:
        return len(self._layouts)

    def near(self, images: Floats) -> list[tuple[tuple[int, float], ...]]:
        """Per image (n, size, size, 3) on [0, 1] the (number, l2) of layouts within TEMPLATE_CEILING, nearest first."""
        cells = InCells.of(images)
        found: list[list[tuple[int, float]]] = [[] for _ in images]
        for number, layout in enumerate(self._layouts):
            bounds = np.stack([cells.bounds(other, layout.template.layout) for other in layout.cells]).min(axis=0)
            for at, distance in self._exact(images, np.flatnonzero(bounds <= TEMPLATE_CEILING + _ROUNDING), layout):
                found[at].append((number, distance))
        return [tuple(sorted(one, key=lambda pair: pair[1])) for one in found]

    @staticmethod
    def _l2(images: Floats, layout: Layout) -> NDArray[np.float64]:
        return np.asarray(
            np.min([layout_l2(images, reference, layout.template.layout) for reference in layout.references], axis=0)
        )

    def _exact(self, images: Floats, wanted: NDArray[np.int64], layout: Layout) -> list[tuple[int, float]]:
        if not len(wanted):
            return []
        distances = self._l2(images[wanted], layout)
        return [(int(at), float(d)) for at, d in zip(wanted, distances, strict=True) if d <= TEMPLATE_CEILING]

    def shown(self, images: Floats, candidates: Sequence[int]) -> ShownLayout | None:
        """The layout that images of one prompt (n, size, size, 3) on [0, 1] show best: one of these, at least two of
        them, or the one that they have in common themselves, where a candidate (a sample id) has it too."""
        agreed = agreement(self.near(images), {}, threshold=TEMPLATE_CEILING)
        found = self._of_images(images, candidates)
        if agreed is None or (found is not None and found.l2 < agreed.distance):
            return found
        layout = self._layouts[agreed.sample_id]
        distances = self._l2(images, layout)
        return ShownLayout(
            l2=agreed.distance,
            area=layout.template.area,
            distances=tuple(distances.tolist()),
            sample_id=self._nearest_member(images[int(distances.argmin())], layout),
        )

    def _of_images(self, images: Floats, candidates: Sequence[int]) -> ShownLayout | None:
        """By the mask of the images themselves: where they agree with one another, and what they vary."""
        if len(images) < FEWEST or not candidates:
            return None
        template = common_layout(as_bytes(images))
        if template is None:
            return None
        median = as_unit(template.reference)
        nearest = layout_l2(as_unit(self.originals.pictures(candidates)), median, template.layout)
        close = np.flatnonzero(nearest <= 2 * TEMPLATE_CEILING).tolist()
        shown = [self._by_own_mask(images, candidates[at], template) for at in close]
        return min((one for one in shown if one.l2 <= TEMPLATE_CEILING), key=lambda one: one.l2, default=None)

    def _by_own_mask(self, images: Floats, sample: int, template: Template) -> ShownLayout:
        """An original, or what the autoencoder makes of it if that is nearer, in the images' own layout."""
        seen = [layout_l2(images, one, template.layout) for one in self._with_reconstruction(sample)]
        distances = np.min(seen, axis=0)
        return ShownLayout(
            l2=float(np.sort(distances)[NEEDED - 1]),
            area=template.area,
            distances=tuple(distances.tolist()),
            sample_id=int(sample),
        )

    def _with_reconstruction(self, sample: int) -> list[Floats]:
        restored = self.originals.reconstruction(sample)
        pixels = self.originals.pictures([sample])[0]
        return [as_unit(one) for one in (pixels, restored) if one is not None]

    def masked_shares(self, images: Floats, sample: int) -> tuple[NDArray[np.float64] | None, float | None]:
        """l2 of images (n, size, size, 3) to an original in the region that its layout masks, in medians of the l2 of
        two originals there: (n,); and the layout's area. None where the original has no layout."""
        numbers = self._of.get(self.originals.group_of.get(sample, sample), [])
        if not numbers:
            return None, None
        template = max((self._layouts[number].template for number in numbers), key=lambda each: each.area)
        return self._masked(images, sample, template.layout) / template.spread, template.area

    def _nearest_member(self, image: Floats, layout: Layout) -> int:
        """The member of a layout whose masked region an image (size, size, 3) shows best."""
        pictures = as_unit(self.originals.pictures(layout.members))
        distances = [masked_l2(image[None], picture, layout.template.layout)[0] for picture in pictures]
        return layout.members[int(np.argmin(distances))]

    def _masked(self, images: Floats, sample: int, layout: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.asarray(np.min([masked_l2(images, one, layout) for one in self._with_reconstruction(sample)], axis=0))


def units_of(
    own: Mapping[str, frozenset[int]],
    families: Sequence[Sequence[int]],
    groups: Mapping[int, Sequence[int]],
    group_of: Mapping[int, int],
) -> list[Unit]:
    """Originals that belong together behind some prompts: the different pictures of their groups, their template
    families, and what stands under one caption, where no family has most of it.

    `own`: by prompt the originals that carry its caption (group ids, or sample ids of those in no group); `families`:
    sample ids of each family's pictures; `groups`: by group the first rows of its different pictures.
    """
    wanted = frozenset[int]().union(*own.values())
    known = [family for family in families if any(group_of.get(sample, sample) in wanted for sample in family)]
    found = [
        Unit(members=tuple(groups[group]), variants=False)
        for group in sorted(wanted & groups.keys())
        if len(groups[group]) >= FEWEST
    ]
    found += [Unit(members=tuple(family), variants=True) for family in known]
    of_family = {group_of.get(sample, sample): number for number, family in enumerate(known) for sample in family}
    for prompt in sorted(own):
        originals = own[prompt]
        numbers = [of_family[original] for original in originals if original in of_family]
        most = max((numbers.count(number) for number in set(numbers)), default=0)
        if len(originals) >= FEWEST and 2 * most < len(originals):
            found.append(Unit(members=tuple(sorted(originals)), variants=True))
    return found


def _layout(members: Sequence[int], originals: Originals) -> Layout | None:
    step = np.linspace(0, len(members) - 1, min(MEMBERS, len(members))).round().astype(int)
    chosen = tuple(int(members[at]) for at in step)
    template = common_layout(originals.pictures(chosen))
    if template is None:
        return None
    restored = originals.restored(template.reference[None])
    shown = template.reference[None] if restored is None else np.stack([template.reference, restored[0]])
    references = tuple(as_unit(shown))
    cells = tuple(InCells.of(reference[None]) for reference in references)
    return Layout(template=template, members=chosen, references=references, cells=cells)
