"""The parts of a plan that need no run: splitting of times, laws of the audit, words and numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.configs import AttackOptions, PlanOptions
from pipelines.planning._attack import attack_sections, chance, wrongly
from pipelines.planning._audit import audit_section, search_bytes, search_seconds, time_embedding
from pipelines.planning._figures import Plan
from pipelines.planning._originals import Pictures
from pipelines.planning._outlook import Outlook
from pipelines.planning._process import peak_while, resident
from pipelines.planning._protocol import kinds_of, protocol_of, unclassed_kinds, unguided_or_guided
from pipelines.planning._show import duration, number, size
from pipelines.planning._warm_up import ask_few, fitting_batch, is_hosted, split_seconds, weight_bytes
from scanner.errors import ScannerError, UnusableInputError
from scanner.fingerprints import load_embedder
from scanner.prompts import shipped_curve
from scanner.targets import Drawn, Transform

positive = st.floats(1e-4, 10)


@given(positive, positive, st.integers(1, 16))
def test_two_step_counts_tell_evaluations_from_the_rest(evaluation, image, images):
    few, more = ((images * (steps * 2 * evaluation + image), images * steps * 2, images) for steps in (2, 8))
    assert split_seconds(few, more) == pytest.approx((evaluation, image), rel=1e-6, abs=1e-9)


def test_noise_that_gives_a_negative_time_is_laid_to_the_evaluations():
    assert split_seconds((5.0, 8, 2), (4.0, 32, 2)) == (9 / 40, 0.0)
    assert split_seconds((1.0, 8, 2), (9.0, 32, 2)) == (10 / 40, 0.0)


def test_a_slow_model_is_timed_at_a_smaller_batch():
    assert fitting_batch(16, 1, 60) == 16
    assert fitting_batch(16, 10, 60) == 4
    assert fitting_batch(16, 1e6, 60) == 1


@given(st.floats(1, 1e11), st.floats(1, 10))
def test_the_search_takes_longer_and_more_memory_for_more_rows(rows, times):
    a, b = search_seconds(int(rows)), search_seconds(int(rows * times))
    assert a.least <= a.expected * (1 + 1e-9) <= a.most * (1 + 2e-9)
    assert (a.least, a.expected, a.most) <= (b.least, b.expected, b.most)
    assert search_bytes(int(rows)) <= search_bytes(int(rows * times))


def test_the_laws_go_through_what_was_measured():
    assert [search_seconds(n).expected for n in (10**6, 10**7)] == pytest.approx([9.9, 272])
    assert [search_bytes(n) / 2**30 for n in (10**6, 10**7)] == pytest.approx([2.4, 6.2])


def test_rows_alone_say_what_they_do_not_know():
    section = audit_section(2_000_000_000, PlanOptions())
    of = {figure.name: figure for figure in section.figures}
    assert of["duplicate groups"].known == of["read and embed"].known == "unknown"
    assert of["embeddings, disk"].span.expected == 2_000_000_000 * 1024


def test_an_embedding_model_is_timed():
    found = time_embedding(load_embedder("demo"), seconds=0.01)
    assert found.timed >= 16
    assert found.seconds > 0
    assert found.width == 1280


@pytest.mark.parametrize(
    ("say", "amount", "said"),
    [
        (duration, 0.0032, "3.2 ms"),
        (duration, 41, "41 s"),
        (duration, 720, "12 min"),
        (duration, 5.3 * 3600, "5.3 h"),
        (duration, 41 * 86400, "41 days"),
        (size, 900, "900 bytes"),
        (size, 1_234_567, "1.23 MB"),
        (size, 999_999, "1 MB"),
        (size, 6.176e12, "6.18 TB"),
        (number, 1234.5, "1,234"),
        (number, 12.5, "12.5"),
        (number, 4, "4"),
        (number, 2e12, "2e+12"),
    ],
)
def test_amounts_are_written_for_people(say, amount, said):
    assert say(amount) == said


def test_wrong_passes_are_said_in_words():
    assert wrongly(500, 0.01, "triage") == (
        "at a false-positive rate of 1 %, 5 of 500 non-memorised prompts are expected to pass triage"
    )
    assert chance(500, 0.01).least == 1
    assert chance(500, 0.01).expected == 5
    assert chance(500, 0.01).most == 10
    assert chance(1, 0.01).most == 1


def test_kinds_take_the_curves_shares_by_class():
    high, low, rest = kinds_of(["high", "high", "low", None], shipped_curve())
    assert (high.prompts, high.verified, high.seeds) == (2, 1.0, 1.0)
    assert (low.prompts, low.verified, low.seeds) == (1, 18 / 170, 0.65)
    assert (rest.prompts, rest.verified) == (1, 89 / 241)


def test_memory_of_a_process_is_seen():
    before = resident()
    peak, made = peak_while(lambda: np.ones(60_000_000).sum(), "cpu")
    assert made == 60_000_000
    assert before is None or peak >= 150_000_000  # of 480 MB: meanwhile the system may take other pages back


class Elsewhere:
    """A target of which nothing but its images is in this process."""

    name, checksum, batch, evaluations, denoiser, has_autoencoder = "elsewhere", "0", 8, 0, None, False
    transform = Transform(size=32)

    def __init__(self, refuses: bool = False) -> None:
        self.refuses, self.asked = refuses, 0

    def generate(self, captions, seeds, *, steps, guidance):  # noqa: ARG002 - its own affair
        self.asked += len(captions)
        if self.refuses:
            return [Drawn(image=None, defect="refused", note="Not with this account.") for _ in seeds]
        return [Drawn(image=np.random.default_rng(seed).random((32, 32, 3), np.float32)) for seed in seeds]


def hosted_plan(warm, **options) -> Plan:
    config = AttackOptions(prompts=100, control=100, triage="none", steps=25)
    outlook = Outlook(
        config=config,
        options=PlanOptions(**options),
        image_price=0.04,
        protocol=protocol_of(config, triage=0, per_image=unguided_or_guided(7.5)),
        kinds=unclassed_kinds(100, shipped_curve()),
        hosted=True,
        where="elsewhere",
        triage="no triage",
        warm=warm,
        pictures=Pictures(distinct=10, by_url=False),
        originals=None,
    )
    return Plan(subject="", sections=attack_sections(outlook), notes=())


def test_a_hosted_target_is_planned_in_requests_and_money_without_a_request():
    made = hosted_plan(None, budget="1300 images")
    assert made.figure("Requests", "control arm").span.expected == 100 * 9
    assert made.figure("Requests", "the paper's attack").span.expected == 200 * 500
    requests = made.figure("Requests", "all").span
    assert made.figure("Money", "all requests").span.expected == pytest.approx(requests.expected * 0.04)
    assert made.figure("Money", "the paper's requests").span.expected == pytest.approx(4000)
    assert made.figure("Time", "all").known == "unknown"
    assert made.figure("Disk", "generations").known == "unknown"
    assert 0 < made.figure("Budget", "prompts with 1,300 images").span.expected < 100


def test_a_hosted_target_that_may_be_asked_is_timed_by_a_few_requests():
    target = Elsewhere()
    assert is_hosted(target)
    assert weight_bytes(target) is None
    warm = ask_few(target, steps=25, guidance=7.5)
    assert target.asked == warm.made == 4
    made = hosted_plan(warm, budget="1h")
    assert made.figure("Time", "all").span.most > 0
    assert made.figure("Disk", "an image as PNG").span.expected > 1000


def test_a_target_that_makes_no_image_is_refused_with_its_reason():
    with pytest.raises(ScannerError, match="Not with this account"):
        ask_few(Elsewhere(refuses=True), steps=25, guidance=7.5)


@pytest.mark.parametrize(
    "options",
    [
        {"budget": "soon"},
        {"price_per_hour": -1},
        {"warm_up_seconds": 0},
        {"pretrained": "laion2b_s34b_b79k"},
    ],
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(UnusableInputError):
        PlanOptions(**options)
