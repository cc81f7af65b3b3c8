"""The options of an attack."""

from collections.abc import Iterable
from dataclasses import dataclass

from scanner.errors import UnusableInputError

PAPER_SEEDS = 500
"""Images per prompt in Carlini et al. 2023."""


KEPT_IMAGES = ("all", "evidence", "clique", "best")
"""What --keep-images may be."""


WIDEST = 0.25
"""Normalised l2 within which originals are looked up."""
DETECTORS = ("wen", "webster", "edges", "bright-ending", "jeon", "anisotropy", "contrast", "lookup", "combined")
"""Names of the triage detectors on the command line."""


def _refuse_unknown_detectors(names: Iterable[str]) -> None:
    for name in names:
        if name not in DETECTORS:
            raise UnusableInputError(
                f"There is no detector '{name}'; use --triage with one or several of {', '.join(DETECTORS)}, or with "
                "none alone."
            )


@dataclass(frozen=True, kw_only=True)
class AttackOptions:
    """How a run's prompts are attacked."""

    prompts: int = 500
    """Risk prompts to try, riskiest first."""
    control: int = 100
    """Control prompts to attack beside them; thresholds at 1 % false positives need 100."""
    seeds: int = PAPER_SEEDS
    """Most images generated in the search for one prompt."""
    steps: int = 50
    """Denoising steps of the evidence."""
    search_steps: str = "4"
    """Denoising steps of the search images: one number, or several with commas between them, one a round (2,3 makes
    those of the first round in 2 steps and those of all later ones in 3)."""
    guidance: float = 7.5
    """Guidance scale."""
    triage: str = "wen"
    """Detectors that decide which risk prompts are attacked, one or several with commas between them (then any one of
    them lets a prompt through): wen, webster, edges (images only), bright-ending, jeon, anisotropy, contrast (ours, the
    cheapest), lookup (ours, images of two steps among the originals), combined (a rule fitted on the demo's target);
    or none."""
    triage_rate: float = 0.05
    """Share of control prompts that may pass triage; looser than a verdict, since what passes is still attacked."""
    exhaustive: bool = False
    """The paper's attack: no triage, no early stop, --seeds images of --steps steps for every prompt."""
    focus: float = 1.0
    """Share of the prompts still in that each further round goes to, the most suspicious first; others stay open."""
    look_rate: float = 0.05
    """Share of control prompts that the search may look at with full-step images: rises evenly from round to round,
    to this after the last."""
    chase: int = 64
    """Most search images of a prompt that has shown an original once, made until a second one does."""
    evidence: int = 16
    """Most full-step images of a prompt, made until two show one original."""
    record: int = 4
    """Full-step images that every accepted prompt has in the end, at least; --clique of them decide the clique test."""
    rate: float = 0.25
    """Share of seeds in which a prompt must reproduce its image to be looked for."""
    miss: float = 0.10
    """Chance of missing such a prompt at which the search gives it up."""
    false_positive_rate: float = 0.01
    """Share of control prompts that may pass a threshold."""
    clique: int = 10
    """Generations that must all be alike (Carlini et al. 2023)."""
    agreement_l2: float | None = None
    """Normalised l2 within which an image shows an original, as `scanner lab score --precision` gives it for
    agreement_l2 on a model whose truth is known; by default 0.12. The control arm may lower it."""
    copy_model: str | None = None
    """A copy-detection network as a TorchScript or ONNX file, such as SSCD's sscd_disc_mixup.torchscript.pt: measures
    the copy similarity of each hit, which the audit's own model does without it."""
    copy_preprocessing: str = "skew-320"
    """How images are brought to the copy model's size: skew-320 squeezes them to that square, small-288 brings the
    shorter side to it."""
    edge: float | None = None
    """Tile l2 below which two generations are alike; by default read off the control arm, at most 0.15."""
    originals: bool = True
    """Look every image up among the training images; --no-originals takes cliques for evidence and verifies nothing."""
    keep_images: str = "evidence"
    """Which images stay on disk once the attack is finished: all, evidence (full-step images, cliques and each prompt's
    best), clique (cliques and each prompt's best) or best (each prompt's best). Distances and seeds of all stay."""
    images: int = 4096
    """Images of a model that takes no prompt (DDPM, DDIM), each of --steps steps; the paper drew 2²⁰ of its CIFAR-10
    models. What is said of prompts, seeds, triage and search then plays no part."""
    fetch: bool = True
    """Download the attacked prompts' originals where the data set gives only their urls; --no-fetch leaves them out."""
    seed: int = 0
    """Seed of all generation."""

    def __post_init__(self) -> None:
        _refuse_unknown_detectors(self.triage_names)
        if min(self.prompts, self.control) < 1:
            raise UnusableInputError(
                "An attack needs prompts and controls; give --prompts and --control of at least 1."
            )
        if min(self.seeds, self.evidence) < 2 or min(self.steps, self.record, self.chase) < 1:
            raise UnusableInputError("--seeds and --evidence are at least 2, --steps, --chase and --record at least 1.")
        self.steps_of_rounds(1)
        shares = (self.miss, self.false_positive_rate, self.triage_rate, self.look_rate)
        if not (0 < self.rate <= 1 and 0 < self.focus <= 1 and all(0 < share < 1 for share in shares)):
            raise UnusableInputError(
                "--rate, --miss, --focus, --look-rate, --triage-rate and --false-positive-rate lie between 0 and 1."
            )
        if self.images < 2:
            raise UnusableInputError("--images is at least 2: two images of one picture show that it is memorised.")
        if self.keep_images not in KEPT_IMAGES:
            raise UnusableInputError(f"There is no --keep-images {self.keep_images}; use {', '.join(KEPT_IMAGES)}.")
        if self.clique < 2 or (self.edge is not None and self.edge <= 0):
            raise UnusableInputError("A clique has at least 2 images, and --edge lies above 0.")
        if self.agreement_l2 is not None and not 0 < self.agreement_l2 <= WIDEST:
            raise UnusableInputError(
                f"--agreement-l2 lies above 0 and is at most {WIDEST}: originals are looked up no further."
            )
        if not self.originals and self.evidence < self.clique:
            raise UnusableInputError(
                f"Without originals a clique of {self.clique} is the evidence; give --evidence of at least as many."
            )

    def steps_of_rounds(self, rounds: int) -> tuple[int, ...]:
        """Denoising steps of so many rounds; the last number goes on. Raises UnusableInputError for no such numbers."""
        named = self.search_steps.split(",")
        if not all(text.strip().isdecimal() and int(text) > 0 for text in named):
            raise UnusableInputError(
                f"--search-steps {self.search_steps} is no number of steps; give one, or one a round as in 2,3."
            )
        return tuple(int(named[min(number, len(named) - 1)]) for number in range(rounds))

    @property
    def triage_names(self) -> tuple[str, ...]:
        """The detectors that --triage names, each once; none of them for none."""
        named = tuple(dict.fromkeys(name.strip() for name in self.triage.split(",")))
        return () if named == ("none",) else named
