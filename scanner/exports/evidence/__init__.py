"""Evidence bundles: per hit what a hostile reader needs, and a script that makes the images again and checks them.

>>> from scanner.exports.evidence import write_bundle
>>> write_bundle(Path("evidence"), facts, hits)                                # doctest: +SKIP
"""

from scanner.exports.evidence._bundle import BUNDLE_FILE, Generation, Hit, Original, write_bundle
from scanner.exports.evidence._original import original_of

__all__ = ["BUNDLE_FILE", "Generation", "Hit", "Original", "original_of", "write_bundle"]
