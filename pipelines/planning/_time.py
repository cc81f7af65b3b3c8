"""The times of a plan: of one evaluation and one image as they were timed, of every phase as that carries it further.

>>> time_figures(outlook)                                                  # doctest: +SKIP
"""

from pipelines.planning._figures import Figure, extrapolated, measured, unknown
from pipelines.planning._outlook import Outlook
from pipelines.planning._protocol import schedule
from pipelines.planning._warm_up import WarmUp
from scanner.attack import Phase, exactly


def time_figures(outlook: Outlook) -> tuple[Figure, ...]:
    """In the order in which they are read; one that is unknown where nothing was timed."""
    if outlook.warm is None:
        why = "give --target" if outlook.where is None else "no request was sent; --warm-up sends a few"
        return (unknown("all", "seconds", why),)
    return (*_rates(outlook, outlook.warm), *_phase_times(outlook))


def _rates(outlook: Outlook, warm: WarmUp) -> tuple[Figure, ...]:
    """Of one image, as it was timed."""
    how = f"{warm.made} images of {' and '.join(map(str, warm.steps))} steps, batches of {warm.batch}"
    if warm.per_image is None:
        return (measured("an image", "seconds", exactly(warm.image_seconds), how),)
    config, per_image = outlook.config, warm.per_image
    figures = [
        measured("evaluations in a second", "evaluations", exactly(1 / warm.evaluation_seconds), how),
        measured("an image besides", "seconds", exactly(warm.image_seconds), "text encoder, autoencoder"),
    ]
    few = config.steps_of_rounds(len(schedule(config)))
    for steps in dict.fromkeys((*few, config.steps)):
        seconds = warm.seconds(images=1, evaluations=per_image(steps))
        figures.append(extrapolated(f"an image of {steps} steps", "seconds", exactly(seconds), "the two above"))
    if outlook.originals is not None:
        timed = f"{outlook.originals.timed} of {outlook.pictures.distinct:,} pictures"
        figures.append(
            extrapolated("its look-up", "seconds", exactly(outlook.originals.lookup_seconds), f"timed on {timed}")
        )
    return tuple(figures)


def _phase_times(outlook: Outlook) -> tuple[Figure, ...]:
    figures, index = [], outlook.index_seconds()
    if index is not None:
        figures.append(
            extrapolated("originals read", "seconds", index, f"{outlook.pictures.distinct:,} pictures, once a run")
        )
    for phase in outlook.phases():
        seconds = outlook.seconds(phase)
        if seconds is not None and seconds.most:
            figures.append(extrapolated(phase.name, "seconds", seconds, _evaluations_and_lookups(phase)))
    restored = outlook.restore_seconds()
    if restored is not None and restored.most:
        basis = "expected one an image (233 for 240 in an attack of the demo), most eight"
        figures.append(extrapolated("originals restored", "seconds", restored, basis))
    both = (outlook.all_seconds(), outlook.seconds(outlook.paper()))
    for name, span in zip(("all", "the paper's attack"), both, strict=True):
        if span is not None:
            figures.append(extrapolated(name, "seconds", span, ""))
    return tuple(figures)


def _evaluations_and_lookups(phase: Phase) -> str:
    return "evaluations" if not phase.images.most else "images and their look-ups"
