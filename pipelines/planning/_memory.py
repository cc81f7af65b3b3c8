"""The memory that an attack takes: weights, activations, the originals, and the images of one prompt.

>>> memory_section(held, outlook, size=512)                                # doctest: +SKIP
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.planning._figures import Figure, Section, counted, extrapolated, measured, unknown
from pipelines.planning._originals import cached_bytes
from pipelines.planning._outlook import Outlook
from scanner.attack import Span, exactly
from scanner.verify import OPEN_INDEX_BYTES

CLUSTERED_BYTES = 1
"""Of one pixel value of a prompt's images while they are clustered: as it is stored (what is multiplied at once is a
few MB beside it)."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a loaded target was seen to take."""

    device: str
    """Where it is."""
    size: int
    """Side of its images, pixels."""
    batch: int
    """Images that an attack makes at once."""
    weights: int | None
    """Bytes of its parameters; None for a target elsewhere."""
    process: int | None
    """Bytes that this process held once it was loaded; None where the system does not say."""


def memory_section(outlook: Outlook, held: Held) -> Section:
    """Weights and activations where the model runs, the rest in this process."""
    device, host = list[Figure](), list[Figure]()
    if held.weights is not None:
        device.append(counted("weights", "bytes", exactly(held.weights), "parameters × their number type"))
        device.append(_activations(outlook, held))
    host.append(_process(held))
    host += _originals(outlook, held)
    images = round(max(outlook.protocol.rounds[-1].total, outlook.protocol.accepted.most))
    pixels = CLUSTERED_BYTES * 3 * held.size**2
    host.append(counted("one prompt's images", "bytes", exactly(images * pixels), f"{images} while clustered"))
    figures = (*device, *host, *_all(device, host, held))
    return Section(name="Memory", figures=figures)


def _activations(outlook: Outlook, held: Held) -> Figure:
    name, warm = "activations", outlook.warm
    if warm is None or warm.activations is None:
        return unknown(name, "bytes", f"this system does not say what {held.device} takes")
    if warm.batch == held.batch:
        return measured(name, "bytes", exactly(warm.activations), f"peak, a batch of {warm.batch}")
    scaled = warm.activations * held.batch / warm.batch
    basis = f"peak of a batch of {warm.batch}, up to one of {held.batch}"
    return extrapolated(name, "bytes", Span(least=warm.activations, expected=scaled, most=scaled), basis)


def _process(held: Held) -> Figure:
    name = "this process"
    if held.process is None:
        return unknown(name, "bytes", "this system does not say what a process takes")
    where = "with the weights" if held.device == "cpu" and held.weights else "without the weights"
    return measured(name, "bytes", exactly(held.process), f"target loaded, {where}")


def _originals(outlook: Outlook, held: Held) -> list[Figure]:
    pictures = outlook.pictures
    cached = cached_bytes(pictures.distinct, held.size)
    return [
        counted(
            "originals' index",
            "bytes",
            exactly(OPEN_INDEX_BYTES * pictures.distinct),
            f"{OPEN_INDEX_BYTES:,} for each of {pictures.distinct:,}",
        ),
        counted("originals kept", "bytes", Span(least=0, expected=cached, most=cached), "those that were compared"),
    ]


def _all(device: Sequence[Figure], host: Sequence[Figure], held: Held) -> tuple[Figure, ...]:
    """The peak where everything is in one place; on another device each place has its own."""
    passing = [figure for figure in host if figure.name == "one prompt's images"]
    lasting = [figure for figure in host if figure not in passing]
    if any(figure.span is None for figure in (*device, *host)):
        return ()
    peak = max((figure.span.most for figure in passing if figure.span is not None), default=0.0)
    here = _sum(lasting) + exactly(peak)
    if held.device == "cpu":
        working = [figure for figure in device if figure.name != "weights"]  # these are in the process already
        return (extrapolated("all", "bytes", here + _sum(working), "all of them"),)
    on_device = _sum(device)
    return (
        extrapolated(f"all on {held.device}", "bytes", on_device, "weights and activations"),
        extrapolated("all in this process", "bytes", here, "the rest"),
    )


def _sum(figures: Sequence[Figure]) -> Span:
    spans = [figure.span for figure in figures if figure.span is not None]
    return sum(spans, start=exactly(0))
