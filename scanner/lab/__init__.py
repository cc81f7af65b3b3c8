"""Train a small target model on a set whose duplicates are known, to measure the attack against the truth.

>>> from scanner.lab import LatentRecipe, TrainingSet, train_latent
>>> train_latent(TrainingSet(...), out, LatentRecipe())       # doctest: +SKIP
"""

from scanner.lab._copies import Planned, planned_rows
from scanner.lab._latent import train_latent
from scanner.lab._pixel import train_pixel
from scanner.lab._planned_set import write_planned
from scanner.lab._recipe import LatentRecipe, PixelRecipe, Recipe, UnconditionalRecipe
from scanner.lab._set import TrainingSet
from scanner.lab._training import Progress
from scanner.lab._truth import TRUTH, TRUTH_FILE, read_truth, write_truth
from scanner.lab._unconditional import train_unconditional

__all__ = [
    "TRUTH",
    "TRUTH_FILE",
    "LatentRecipe",
    "PixelRecipe",
    "Planned",
    "Progress",
    "Recipe",
    "TrainingSet",
    "UnconditionalRecipe",
    "planned_rows",
    "read_truth",
    "train_latent",
    "train_pixel",
    "train_unconditional",
    "write_planned",
    "write_truth",
]
