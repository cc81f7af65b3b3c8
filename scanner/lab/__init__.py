"""Train a small target model on a set whose duplicates are known, to measure the attack against the truth.

>>> from scanner.lab import LatentRecipe, train_latent
>>> train_latent(pictures, picture_of_row, captions, out, LatentRecipe())       # doctest: +SKIP
"""

from scanner.lab._latent import train_latent
from scanner.lab._recipe import LatentRecipe
from scanner.lab._training import Progress

__all__ = ["LatentRecipe", "Progress", "train_latent"]
