"""The command line. Every command's work is a recipe in this package; nothing heavy is imported before it is needed.

    scanner audit DATASET --out RUN
    scanner attack RUN --target MODEL
    scanner demo

Exit codes: 0 done, 1 failed, 2 wrong usage or unusable input, 3 done but a policy (--min-recall, --fail-on) is broken,
130 stopped from the keyboard. An error is one sentence.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from pipelines.amounts import Budget
from pipelines.configs import (
    AttackOptions,
    AuditConfig,
    AuditExtras,
    CalibrateConfig,
    DownloadConfig,
    ExportOptions,
    PageOptions,
    PlanOptions,
    PlantConfig,
    Policy,
    ReviewOptions,
    ScoreConfig,
    TargetOptions,
    TrainConfig,
)
from scanner import __version__
from scanner.errors import ScannerError

UNUSABLE, FAILED, STOPPED = 2, 1, 130

app = App(
    name="scanner",
    version=__version__,
    help="Find duplicated images in a text-to-image training set, rank their captions by risk, and measure which of "
    "them a model gives back.",
    help_format="markdown",
    help_epilogue="Start with `scanner demo`, which needs no data and no network.",
    result_action="return_value",
    default_parameter=Parameter(negative_iterable=()),
)
lab = App(name="lab", help="Plant canaries, train small targets, and measure an attack against the truth.")
app.command(lab)

Flat = Parameter(name="*")
Downloading = Parameter(name="*", group="Download (a list of URLs)")
Loading = Parameter(name="*", group="Target")
Attacking = Parameter(name="*", group="Attack (as it would be given)")
Keeping = Parameter(name="*", group="Policy (exit code 3 when broken)")
Paging = Parameter(name="*", group="Report")
Json = Annotated[bool, Parameter(name="--json", negative="")]


@app.command
def audit(  # noqa: PLR0913 - two groups of options and what to do with them
    dataset: str,
    /,
    *,
    out: Path,
    config: Annotated[AuditConfig, Flat] = AuditConfig(),  # noqa: B008 - frozen
    downloading: Annotated[DownloadConfig, Downloading] = DownloadConfig(),  # noqa: B008 - frozen
    policy: Annotated[Policy, Keeping] = Policy(),  # noqa: B008 - frozen
    page: Annotated[PageOptions, Paging] = PageOptions(),  # noqa: B008 - frozen
    extras: Annotated[AuditExtras, Flat] = AuditExtras(),  # noqa: B008 - frozen
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Find duplicate groups in a data set and rank their captions as prompts. No model of yours is needed.

    Resumes a run that was stopped. Examples:

        scanner audit laion-subset/ --out runs/laion
        scanner audit photos/ --out runs/photos --model demo
        scanner audit laion-subset/ --out runs/clip --model local-dir:models/clip-b32
        scanner audit laion-embeddings/ --out runs/embeddings
        scanner audit laion2B-en/ --out runs/urls --where "punsafe < 0.1" --sample 0.001 --dry-run
        scanner audit laion-subset/ --out runs/again --calibration runs/laion
        scanner audit laion-subset/ --out runs/laion --min-recall 0.99 && sbatch train.sh
        scanner audit laion-subset/ --out runs/laion --fail-on "risk>=high:10"
        scanner audit laion-subset/ --out runs/laion --add-shards
        scanner audit laion-subset/ --out runs/laion --against runs/test-set
        scanner audit laion-subset/ --out runs/laion --curve runs/attacked

    Parameters
    ----------
    dataset
        Folder, file, pattern ('laion/{00000..00099}.tar') or fsspec address (s3://, gs://, hf://, https://) of
        img2dataset or webdataset tars; of images with their captions beside them or in a metadata table; of Hugging
        Face parquet or what datasets saved to disk; of embeddings alone (clip-retrieval's output, DataComp's .npz: no
        picture is looked at, cosine decides); or of a list of URLs (parquet, CSV, TSV or JSON lines, as LAION, COYO,
        CC12M and DataComp publish them), whose images are downloaded into the run first.
    out
        Directory of the run; made if it is not there.
    dry_run
        Say what there is and, of a list of URLs, how many rows and roughly how many bytes would be downloaded; nothing
        is written, and no image is asked for.
    json
        Print a machine-readable summary instead of the readable one.
    """
    if dry_run:
        from pipelines import dry_run as dry  # noqa: PLC0415

        dry.print_dry_run(dry.dry_run(dataset, config, downloading), as_json=json)
        return
    from pipelines.audit import audit as recipe  # noqa: PLC0415 - heavy
    from pipelines.policies import refuse_hits  # noqa: PLC0415
    from pipelines.report import report as write  # noqa: PLC0415

    refuse_hits(policy, "an audit attacks no model; give it to `scanner attack` or `scanner report`")
    run = recipe(dataset, out, config, _engine(), downloading, extras=extras)
    _show(run, partial(write, blur=page.blur), json, policy)


@app.command
def attack(  # noqa: PLR0913 - two groups of options and what to do with them
    run: Path,
    /,
    *,
    target: str,
    config: Annotated[AttackOptions, Flat] = AttackOptions(),  # noqa: B008 - frozen
    loading: Annotated[TargetOptions, Loading] = TargetOptions(),  # noqa: B008 - frozen
    policy: Annotated[Policy, Keeping] = Policy(),  # noqa: B008 - frozen
    page: Annotated[PageOptions, Paging] = PageOptions(),  # noqa: B008 - frozen
    budget: str | None = None,
    json: Json = False,
) -> None:
    """Attack a model with a run's prompts, and verify every hit against all training images.

    Resumes an attack that was stopped. Examples:

        scanner attack runs/laion --target CompVis/stable-diffusion-v1-4 --device cuda --dtype float16
        scanner attack runs/laion --target models/mine --prompts 200 --control 100 --steps 25
        scanner attack runs/laion --target models/mine --exhaustive
        scanner attack runs/laion --target models/mine --budget 2h
        scanner attack runs/laion --target models/mine --fail-on "hits>0" && ./release.sh
        scanner attack runs/laion --target openai:gpt-image-1 --triage none --api-price 0.011 --api-max-cost 20
        scanner attack runs/laion --target openai:sdxl --api-url http://localhost:8080/v1 --api-seed --triage none
        scanner attack runs/laion --target generated-elsewhere/ --triage none
        scanner attack runs/cifar --target models/ddpm --images 65536

    Parameters
    ----------
    run
        Directory of a finished audit.
    target
        Folder of a diffusers text-to-image pipeline, or owner/name on the hub; openai:MODEL for a hosted image API; or
        a folder or webdataset of images that were generated elsewhere, each with its prompt and, if known, its seed. A
        DDPM or DDIM pipeline, which takes no prompt, is attacked with --images images of as many seeds.
    budget
        Stop cleanly once so much is spent, the most suspicious prompts first: 5000images, 1e6evaluations, 2h or 90min.
        What was made is verified and reported; the same command with a larger budget goes on.
    json
        Print a machine-readable summary instead of the readable one.
    """
    from pipelines.attack import attack as recipe  # noqa: PLC0415 - heavy
    from pipelines.policies import refuse_hits, refuse_unmeasurable  # noqa: PLC0415
    from pipelines.report import report as write  # noqa: PLC0415
    from scanner.attack import Spending  # noqa: PLC0415
    from scanner.run import Run  # noqa: PLC0415

    opened = Run.open(run)
    refuse_unmeasurable(policy, opened)
    if not config.originals:
        refuse_hits(policy, "with --no-originals nothing is verified")
    spending = None if budget is None else Spending(**asdict(Budget.parse(budget)))
    recipe(opened, target, config, _engine(), loading, spending)
    _show(opened, partial(write, blur=page.blur), json, policy)


@app.command
def calibrate(
    run: Path,
    /,
    *,
    config: Annotated[CalibrateConfig, Flat] = CalibrateConfig(),  # noqa: B008 - frozen
    json: Json = False,
) -> None:
    """Measure how alike two pictures are by chance, and give the similarity threshold at a stated false-positive rate.

    Compares random pairs of a run's pictures, in both uses of a cosine: to propose pairs that are then looked at, and
    to decide where there are no pictures. Writes calibration.json, which an audit takes its threshold from,
    calibration.parquet and calibration.html into the run. Examples:

        scanner calibrate runs/laion
        scanner calibrate runs/embeddings --rate 1e-7 --pairs 100000000
        scanner calibrate runs/laion --labels looked-at.csv --precision 0.99
        scanner audit laion-subset/ --out runs/again --calibration runs/laion

    Parameters
    ----------
    run
        Directory of a run whose rows are all read.
    json
        Print calibration.json instead of the readable summary.
    """
    from pipelines.calibrate import calibrate_run  # noqa: PLC0415 - heavy
    from pipelines.calibration_summary import print_calibration  # noqa: PLC0415
    from scanner.run import Run  # noqa: PLC0415

    opened = Run.open(run)
    print_calibration(calibrate_run(opened, config, _engine().progress), as_json=json)


@app.command
def report(
    run: Path,
    /,
    *,
    policy: Annotated[Policy, Keeping] = Policy(),  # noqa: B008 - frozen
    page: Annotated[PageOptions, Paging] = PageOptions(),  # noqa: B008 - frozen
    verify: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Make the report of a run again, from its tables; nothing is embedded or generated.

    Examples:

        scanner report runs/laion
        scanner report runs/laion --min-recall 0.99
        scanner report runs/laion --fail-on "hits>0" --fail-on "recall<0.99"
        scanner report runs/laion --blur
        scanner report runs/laion --verify

    Parameters
    ----------
    run
        Directory of a run.
    verify
        Write nothing: say whether report.json is as it was written, by the hash in it. Exits with 1 if it is not.
    json
        Print a machine-readable summary instead of the readable one.
    """
    from pipelines.report import print_verified  # noqa: PLC0415
    from pipelines.report import report as write  # noqa: PLC0415
    from scanner.run import Run  # noqa: PLC0415

    opened = Run.open(run)
    if verify:
        print_verified(opened, as_json=json)
        return
    _show(opened, partial(write, blur=page.blur), json, policy)


@app.command
def review(
    run: Path,
    /,
    *,
    options: Annotated[ReviewOptions, Flat] = ReviewOptions(),  # noqa: B008 - frozen
    earlier: Annotated[Path | None, Parameter(name="--from")] = None,
    json: Json = False,
) -> None:
    """Look at hits and duplicate groups in the browser, and accept or reject them with keys.

    A page on this machine (127.0.0.1): generation beside original, zoom, flip, difference, and the members of a group
    side by side. Decisions are kept in RUN/reviews by the pictures' content, each as it is made; the report counts
    what was reviewed and what was not apart. Ends with Ctrl-C. Examples:

        scanner review runs/laion
        scanner review runs/laion --reviewer ada --no-browser --port 8000
        scanner review runs/again --from runs/laion
        scanner review runs/laion --summary

    Parameters
    ----------
    run
        Directory of a run with groups or an attack.
    earlier
        Another run whose decisions about the same pictures are taken over first.
    json
        Print the summary for other programs, and open no page.
    """
    from scanner.run import Run  # noqa: PLC0415 - heavy

    opened = Run.open(run)
    from pipelines.review import review as recipe  # noqa: PLC0415 - heavier

    recipe(opened, options, earlier, as_json=json)


@app.command
def compare(
    before: Path,
    after: Path,
    /,
    *,
    out: Path | None = None,
    page: Annotated[PageOptions, Paging] = PageOptions(),  # noqa: B008 - frozen
    json: Json = False,
) -> None:
    """Compare two finished runs: the same set after de-duplication, another threshold, or another model.

    Says which groups, prompts and rows are gone, new or changed, what that did to the risk, and which prompts were
    verified before and after. Both runs stay as they are. Examples:

        scanner compare runs/laion runs/laion-deduplicated
        scanner compare runs/model-1 runs/model-2 --out comparison
        scanner compare runs/laion runs/laion-deduplicated --json

    Parameters
    ----------
    before
        Directory of the run before (A).
    after
        Directory of the run after (B).
    out
        Where index.html and compare.json are written; by default in the run after, in a folder compare-A of the name
        of the run before.
    json
        Print a machine-readable summary instead of the readable one.
    """
    from pipelines.compare import compare_runs, print_comparison, print_json  # noqa: PLC0415 - heavy

    (print_json if json else print_comparison)(*compare_runs(before, after, out, blur=page.blur))


@app.command
def export(run: Path, /, *, out: Path, config: Annotated[ExportOptions, Flat], json: Json = False) -> None:
    """Write a run's prompts, or the repair of its data set, in the format that another tool reads.

    Examples:

        scanner export runs/laion --format csv --out prompts.csv
        scanner export runs/laion --format promptfoo --risk high --out tests.csv
        scanner export runs/laion --format wen --arm all --ranks 1-500 --out prompts.jsonl
        scanner export runs/laion --format pyrit --verdict matching --out verified.prompt
        scanner export runs/laion --format garak --skip-unwritable --out S003_captions.txt
        scanner export runs/laion --format drop-list --by url --out drop.parquet
        scanner export runs/laion --format shards --risk high --keep caption --out laion-repaired/
        scanner export runs/datacomp --format datacomp --out keep.npy
        scanner export runs/laion --format recaption --out recaption.jsonl
        scanner export runs/laion --format evidence --out evidence/

    Parameters
    ----------
    run
        Directory of a finished audit.
    out
        File to write, or folder for shards. Its suffix chooses where a format has two ways to be written: wen (.jsonl,
        .parquet), promptfoo (.csv, .yaml), garak (.txt a line a prompt; .json, which carries every caption).
    json
        Print a machine-readable summary instead of the readable one.
    """
    from pipelines.export import export as recipe  # noqa: PLC0415 - heavy
    from pipelines.export import print_exported  # noqa: PLC0415
    from scanner.run import Run  # noqa: PLC0415

    print_exported(recipe(Run.open(run), out, config, _engine()), as_json=json)


@app.command
def plan(  # noqa: PLR0913 - three groups of options
    what: str,
    /,
    *,
    target: str | None = None,
    options: Annotated[PlanOptions, Flat] = PlanOptions(),  # noqa: B008 - frozen
    config: Annotated[AttackOptions, Attacking] = AttackOptions(),  # noqa: B008 - frozen
    loading: Annotated[TargetOptions, Loading] = TargetOptions(),  # noqa: B008 - frozen
    json: Json = False,
) -> None:
    """Say what an attack would take, before anything is spent: evaluations, hours, memory, disk, errors to expect.

    Gives each figure as least, expected and most, says how it is known (measured, counted or extrapolated), and sets
    the paper's exhaustive attack beside it. Writes nothing. Examples:

        scanner plan runs/laion --target CompVis/stable-diffusion-v1-4 --device cuda --dtype float16
        scanner plan runs/laion --target models/mine --prompts 200 --steps 25 --budget 12h --price-per-hour 2.5
        scanner plan runs/laion
        scanner plan 100M --model ViT-B-32 --target models/mine --prompts 5000
        scanner plan 2e9 --json

    Parameters
    ----------
    what
        Directory of a finished audit, or the number of rows of a data set that is not audited yet (2e9, 100M), for
        which the audit is planned too.
    target
        The model that would be attacked, as `scanner attack` takes it: it is loaded and timed on a few images. Without
        it nothing is timed.
    json
        Print a machine-readable plan (seconds, bytes, counts) instead of the readable one.
    """
    from pipelines.planning import plan as recipe  # noqa: PLC0415 - heavy
    from pipelines.planning import print_plan  # noqa: PLC0415

    print_plan(recipe(what, target, config, options, loading), as_json=json)


@app.command
def demo(
    *,
    out: Path = Path("demo-run"),
    page: Annotated[PageOptions, Paging] = PageOptions(),  # noqa: B008 - frozen
    json: Json = False,
) -> None:
    """Do all of it, on a data set and a model that ship with the scanner: minutes on a laptop, no network.

    Examples:

        scanner demo
        scanner demo --out /tmp/demo --json

    Parameters
    ----------
    out
        Where the data set and the run are written.
    json
        Print a machine-readable summary instead of the readable one.
    """
    from pipelines.demo import demo as recipe  # noqa: PLC0415 - heavy
    from pipelines.report import report as write  # noqa: PLC0415

    run = recipe(out, _engine())
    _show(run, partial(write, blur=page.blur), json)


@lab.command
def train(dataset: str, /, *, out: Path, config: Annotated[TrainConfig, Flat] = TrainConfig()) -> None:  # noqa: B008
    """Train a small target on a data set, copies and all, and write beside it how many copies each row has.

    Resumes a training that was stopped. The data set that the demo's target was trained on is the one that
    `scanner demo` writes. Examples:

        scanner lab train demo-run/data --out my-target
        scanner lab train photos/ --family pixel --copies 1x400,8x20,32x12,128x4 --write-dataset planned --out my-target
        scanner audit planned --out runs/planned && scanner attack runs/planned --target my-target
        scanner lab train photos/ --family unconditional --copies 1x400,64x8 --write-dataset planned --out my-ddpm

    Parameters
    ----------
    dataset
        A data set as `scanner audit` reads it.
    out
        Folder of the diffusers pipeline; made if it is not there. truth.parquet in it has a row for every row that was
        trained on (shard, key, caption, copies, planted, number of its picture).
    """
    from pipelines.lab import train as recipe  # noqa: PLC0415 - heavy
    from pipelines.progress import TerminalProgress  # noqa: PLC0415

    recipe(dataset, out, config, TerminalProgress())


@lab.command
def plant(
    dataset: str,
    /,
    *,
    out: Path,
    config: Annotated[PlantConfig, Flat] = PlantConfig(),  # noqa: B008 - frozen
    json: Json = False,
) -> None:
    """Write captioned canaries for a training of your own, so that the attack's recall on your model is measured.

    A canary is a picture that no data set holds, under a caption that yours does not have, in a planned number of
    copies. DIR/canaries is to be trained on beside the data set, which stays as it is; DIR/twins, drawn in the same
    way, is never trained on and is the negative control; DIR/truth.parquet says which is which. Audit all three
    together, attack the model, and give the run to `scanner lab score`. Examples:

        scanner lab plant laion-subset/ --out planted
        scanner lab plant photos/ --out planted --plan 4x10,16x10,64x10 --edits light
        scanner audit '{laion-subset,planted/canaries,planted/twins}/*.tar' --out runs/planted
        scanner attack runs/planted --target models/mine
        scanner lab score runs/planted planted/truth.parquet

    Parameters
    ----------
    dataset
        The data set that the model is to be trained on, as `scanner audit` reads it: webdataset or img2dataset tars, a
        folder of images, Hugging Face parquet, or what datasets saved to disk.
    out
        A new folder for canaries, twins and truth, outside of the data set.
    json
        Print a machine-readable summary instead of the readable one.
    """
    from pipelines.plant import plant_canaries, print_json, print_planted  # noqa: PLC0415 - heavy
    from pipelines.progress import TerminalProgress  # noqa: PLC0415

    (print_json if json else print_planted)(plant_canaries(dataset, out, config, TerminalProgress()))


@lab.command
def score(
    run: Path,
    truth: Path,
    /,
    *,
    config: Annotated[ScoreConfig, Flat] = ScoreConfig(),  # noqa: B008 - frozen
    json: Json = False,
) -> None:
    """Hold an attacked run against the truth: what was planted, what came back, and what each hit cost.

    Recall by copies through every step of the chain, from rows that the audit read to pictures that the model gave
    back; the negative control of never-planted twins; each detector's ROC; precision and recall of each verdict; ROC
    and precision-recall curves of each stored score, with its threshold for a wanted precision; denoiser evaluations
    and images per verified hit. Written into RUN/score: index.html draws the curves; score.json, score.parquet (a row a
    picture), prompts.parquet (a row a prompt), curves.parquet and detectors.parquet (a row a threshold) hold the
    figures. A run that was audited and not yet attacked is scored as far as it goes. Examples:

        scanner lab score runs/planted planted/truth.parquet
        scanner lab score demo-run/run demo-run/data-truth.parquet --memorised-from 32
        scanner lab score runs/planted planted/truth.parquet --precision 0.99
        scanner lab score runs/planted planted/truth.parquet --json

    Parameters
    ----------
    run
        Directory of a finished audit, with an attack or without.
    truth
        Table (.parquet or .csv) with the columns shard, key and copies, and where it has them caption, planted,
        picture and twin_of: as `scanner lab plant`, `scanner lab train` and `scanner demo` write it.
    json
        Print score.json instead of the readable tables.
    """
    from pipelines.score import print_json, print_score, score_run  # noqa: PLC0415 - heavy
    from scanner.run import Run  # noqa: PLC0415

    (print_json if json else print_score)(*score_run(Run.open(run), truth, config))


def _engine() -> Any:
    from pipelines.engines import LocalEngine  # noqa: PLC0415
    from pipelines.progress import TerminalProgress  # noqa: PLC0415

    return LocalEngine(TerminalProgress())


def _show(run: Any, write: Callable[[Any], Path], json: bool, policy: Policy = Policy()) -> None:  # noqa: B008 - frozen
    from pipelines.policies import judge, refuse_broken  # noqa: PLC0415
    from pipelines.summary import print_json, print_summary  # noqa: PLC0415

    judged = judge(policy, run)
    (print_json if json else print_summary)(run, write(run), judged)
    refuse_broken(judged)


def main() -> None:
    """The console command `scanner`."""
    sys.exit(exit_code_of(app, sys.argv[1:]))


def exit_code_of(command: Callable[..., Any], arguments: list[str]) -> int:
    """Run the command line; says an error in one sentence on standard error and gives the exit code."""
    try:
        command(arguments, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return _say(f"{error} (see scanner --help)", UNUSABLE)
    except ScannerError as error:
        return _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _say("Stopped; give the same command again to go on where it was.", STOPPED)
    except Exception as error:
        if os.environ.get("SCANNER_TRACEBACK"):
            raise
        text = " ".join(str(error).split())[:300]
        return _say(
            f"An error that should not happen, {type(error).__name__}: {text} (set SCANNER_TRACEBACK=1 to see where).",
            FAILED,
        )
    return 0


def _say(sentence: str, code: int) -> int:
    print(f"scanner: {' '.join(sentence.split())}", file=sys.stderr)
    return code
