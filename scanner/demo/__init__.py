"""Demo data: pictures that ship with the project, and a builder that plants duplicates among them.

**Source.** 1,350 distinct captioned drawings of Debian's package openclipart-png 1:0.18+dfsg-19, the PNG edition of the
Open Clip Art Library 0.18, chosen and shrunk by `pipelines/curate`. **Licence.** Each was dedicated to the public
domain by its author (Creative Commons Public Domain Dedication). `SOURCES.md` beside this file has both in full.

**Counts.** `build_demo` makes 4,799 rows of them (seed 0): 137 groups of copies (3 of 256 copies, 8 of 128, 10 of 64,
16 of 32, 16 of 16, 20 of 8, 24 of 4, 40 of 2), 30 pictures that openclipart itself files twice, 1,183 pictures that
occur once (2 under a caption that is not UTF-8), 10 broken files and 10 rows that failed to download or to decode. In
109 of the 137 groups, and in 31 of the 37 with 32 copies and more, all copies carry one caption.

    >>> from pathlib import Path
    >>> from scanner.demo import build_demo, truth, truth_path
    >>> data = build_demo(Path("demo-data"))                    # doctest: +SKIP
    >>> truth(truth_path(data)).group_by("kind").len()          # doctest: +SKIP
"""

from scanner.demo._build import build_demo, truth, truth_path
from scanner.demo._pictures import demo_pictures
from scanner.demo._target import target_folder

__all__ = ["build_demo", "demo_pictures", "target_folder", "truth", "truth_path"]
