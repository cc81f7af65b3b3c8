"""What the curation goes by that has to be looked up: words, folders, families and pictures left out by hand.

None of it is an opinion on a work. The demo ships with a tool that anyone may install, so it leaves out what does not
suit every audience, names and marks that may be protected, likenesses of real people, and titles that are no captions.

>>> COLLECTIONS.search("RPG map symbols") is not None
True
"""

import re
from pathlib import Path

COLLECTIONS = re.compile(
    r"collection|iconset|icon-theme|gramastar|svg theme|map symbols|various cliparts|rpg map|menu clip art"
    r"|inkscape|openclipart|clipart$|\bsvg\b|template|untitled|self portrait|example|\btest\b",
    re.IGNORECASE,
)
"""Titles that name a collection or a tool, not a picture."""
LEFT_OUT_WORDS = re.compile(
    r"""\b(
    sexy|stripper|babe|nude?|nudo|nuda|naked|breast|bra|thong|panty\w*|lingerie|bikini|cannabis|marijuana
    |gallows|dead|hang(ed|man)|nazi|hitler|reich|swastika|svastica|sun[ ]?wheel|confederate|kkk|atomic|wmd
    |gun|ak47|bomb|mortar|grenade|incazzat\w*|cretin\w*|bush|saddam|osama|politic\w*|terror\w*|hate|hacked
    |pop[ ]up|chomper|apple's|atari|e[ ]mule|xbill|eclipse|lightsabers?|road[ ]runner|unesco|rpswb
    |martin[ ]luther[ ]king|drunk|middle[ ]finger|devil|satan\w*|cisco|alcatel|hp|nikon|sony|nokia|siemens
    |coke|coca|pepsi|orleans[ ]express|emule|quake|xbox|playstation|bmw|skoda|toyota|dodge|chevrolet|shelby
    |hummer|ferrari|porsche|vespa|volkswagen|garmin|magelan|geko|gentoo|debian|redhat|gnome|kde|kexi|jabber
    |linux|gnu|ubuntu|freebsd|md5|mozilla|firefox|thunderbird|apache|java|php|mysql|apple[ ]computer
    |macintosh|windows|microsoft|intel|amd|palm|clie|gameboy|nintendo|sprint|velocette|rca|doublesight
    |packman|pac-?man|tetris|pong|vgcats|rubik\S*|grune[ ]punkt|porcinet|piglet|mickey|barbie|brozo|otto
    |creative[ ]commons|openoffice|zinf|beckham|bpoe|debconf|wikipedia|google|yahoo|xml|rss|atom|lego
    |superman|batman|starbucks|mcdonald\S*|nfpa|route[ ]66
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words of a caption, title or description that leave a picture out: names, marks, what does not suit everyone."""
LEFT_OUT_FOLDERS = re.compile(
    r"pantyhose|/historic|logos/|computer/icons/|stickmen|special/|shapes/stars|cards/|flowchart|callouts|jigsaw"
    r"|connectors"
)
"""Folders of marks and of parts that make no picture by themselves."""
KEPT_FOLDERS = re.compile(r"computer/icons/[^/]*$|computer/icons/(applications|etiquette)|cards/[^/]*$")
"""Exceptions to `LEFT_OUT_FOLDERS`."""

NOUNS = {
    "animals": "animal", "animals/birds": "bird", "animals/bugs": "insect", "animals/fish": "sea animal",
    "buildings": "building", "buildings/furniture": "furniture", "buildings/homes": "house",
    "computer": "computer", "containers": "container", "decorations": "decoration", "education": "school",
    "electronics": "electronics", "food": "food", "food/beverages": "drink", "food/desserts": "dessert",
    "food/fruit": "fruit", "food/vegetables": "vegetable", "geography": "geography",
    "geography/astronomy": "astronomy", "office": "office", "people": "people", "people/bodypart": "body part",
    "people/clothing": "clothing", "plants": "plant", "plants/flowers": "flower", "recreation": "leisure",
    "recreation/games": "game", "recreation/music": "music", "recreation/sports": "sports",
    "recreation/toys": "toy", "recreation/holiday": "holiday", "science": "science",
    "signs_and_symbols": "sign", "signs_and_symbols/flags": "flag", "signs_and_symbols/weather": "weather",
    "tools": "tool", "tools/weapons": "weapon", "transportation": "transport",
    "transportation/boating": "sailing",
}  # fmt: skip
"""What a one-word title is completed with, by the longest folder that matches: 'Bull, animal clip art'."""

FAMILIES = {
    "flag": (r"/flags/|\bflag\b", 84),
    "clock": (r"/clocks/|\bclock\b|\borologio\b", 12),
    "sign": (
        r"road_?sign|\bsign\b|hotel|keep.tidy|obligat|protection|sortie|inflamma|aiga|interdi|secour|direction|danger",
        76,
    ),
    "map": (r"geography/.*(map|region|state)|\bmap\b", 25),
    "button": (r"/buttons/|\bbutton\b|arrow|/led/", 26),
}
"""Families of look-alikes: what tells a member by path or caption, and how many are kept."""


def left_out_by_hand() -> set[str]:
    """Sources (paths inside the package) that were left out after looking at them; the file gives the reasons."""
    lines = Path(__file__).with_name("left_out.txt").read_text(encoding="utf-8").splitlines()
    return {line.split("#")[0].strip() for line in lines}


def suitable(path: str, said: str) -> bool:
    """Whether folder and words (caption, title and description) let a picture be shown to anyone."""
    folder_left_out = LEFT_OUT_FOLDERS.search(path) and not KEPT_FOLDERS.search(path)
    return not folder_left_out and not LEFT_OUT_WORDS.search(said)


def family(path: str, caption: str) -> str | None:
    """Name of the family of look-alikes that a picture belongs to, or None."""
    said = f"{path} {caption}"
    names = (name for name, (pattern, _) in FAMILIES.items() if re.search(pattern, said, re.IGNORECASE))
    return next(names, None)


def noun(path: str) -> str | None:
    """What the picture's folder is called in a caption; None where it has no name that reads well."""
    folder = path.rsplit("/", 1)[0]
    while folder not in NOUNS and "/" in folder:
        folder = folder.rsplit("/", 1)[0]
    return NOUNS.get(folder)
