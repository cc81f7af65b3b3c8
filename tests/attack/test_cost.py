"""The cost model against the same count made prompt by prompt, and the order and growth that any cost has."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import (
    CostProtocol,
    PerImage,
    RiskKind,
    Round,
    Span,
    attack_cost,
    exactly,
    first_kinds,
    miss_bound,
    paper_cost,
    prompts_within,
    total_cost,
    undecided,
)

shares = st.floats(0, 1)
kinds = st.lists(
    st.builds(RiskKind, prompts=st.integers(0, 300), verified=shares, seeds=st.floats(0.01, 1)), min_size=1, max_size=3
)


@st.composite
def protocols(draw):
    totals = draw(st.lists(st.integers(1, 600), min_size=1, max_size=4, unique=True).map(sorted))
    most, rate = draw(st.integers(2, 20)), draw(st.floats(0, 0.5))
    looked = draw(st.integers(0, most))
    return CostProtocol(
        triage=draw(st.sampled_from([0, 8, 40])),
        rounds=tuple(Round(total=images, steps=draw(st.integers(1, 50))) for images in totals),
        steps=draw(st.integers(1, 50)),
        accepted=Span(least=2, expected=draw(st.integers(2, most)), most=most),
        needed=draw(st.integers(1, 2)),
        look_rate=rate,
        looked=Span(least=0, expected=looked, most=looked),
        passing=draw(shares),
        false_positive_rate=0.5 - rate,
        per_image=PerImage(per_step=draw(st.sampled_from([1.0, 2.0, 4.0])), once=draw(st.sampled_from([0.0, 1.0]))),
    )


@settings(max_examples=60, deadline=None)
@given(protocols(), kinds, st.integers(1, 200))
def test_least_is_at_most_expected_is_at_most_most(protocol, planned, control):
    for phase in (*(phases := attack_cost(protocol, planned, control=control)), total_cost(phases)):
        for span in (phase.images, phase.evaluations):
            assert 0 <= span.least <= span.expected + 1e-6
            if phase.name in ("search", "all"):
                assert span.expected <= span.most + 1e-6


@settings(max_examples=40, deadline=None)
@given(protocols(), kinds, st.integers(1, 200), st.integers(1, 50))
def test_more_prompts_controls_or_steps_never_cost_less(protocol, planned, control, more):
    def spent(protocol, planned, control):
        found = total_cost(attack_cost(protocol, planned, control=control)).evaluations
        return np.array([found.least, found.expected, found.most])

    base = spent(protocol, planned, control)
    larger = [replace(planned[0], prompts=planned[0].prompts + more), *planned[1:]]
    slower = replace(protocol, rounds=tuple(replace(one, steps=one.steps + more) for one in protocol.rounds))
    for other in (
        spent(protocol, larger, control),
        spent(protocol, planned, control + more),
        spent(slower, planned, control),
    ):
        assert (other >= base - 1e-6).all()


@given(st.integers(0, 10**6), st.integers(1, 1000))
def test_the_papers_attack_is_500_images_of_two_evaluations_a_step(prompts, steps):
    cost = paper_cost(prompts, steps=steps)
    assert cost.images == exactly(500 * prompts)
    assert cost.evaluations == exactly(prompts * 500 * steps * 2)


def test_the_phases_of_a_known_attack():
    protocol = CostProtocol(
        triage=8,
        rounds=(Round(total=2, steps=8), Round(total=6, steps=10)),
        steps=50,
        accepted=exactly(16),
        passing=0.05,
    )
    triage, control, search, evidence = attack_cost(protocol, [RiskKind(prompts=10, verified=1, seeds=1)], control=100)
    assert triage.evaluations == exactly(8 * 110)
    assert (control.images, control.evaluations) == (exactly(600), exactly(100 * (2 * 16 + 4 * 20)))
    assert search.images == Span(least=0, expected=20, most=60)
    assert search.evaluations == Span(least=0, expected=10 * 2 * 16, most=10 * (2 * 16 + 4 * 20))
    assert evidence.images == Span(least=0, expected=11 * 16, most=11 * 16)


def test_without_triage_every_prompt_has_its_first_round():
    protocol = CostProtocol(
        triage=0, rounds=(Round(total=2, steps=8), Round(total=15, steps=8)), steps=50, accepted=exactly(16)
    )
    search = attack_cost(protocol, [RiskKind(prompts=10, verified=0, seeds=1)], control=1)[2]
    assert search.images == Span(least=20, expected=150, most=150)


def test_expected_images_are_the_mean_of_simulated_prompts():
    rounds = (Round(total=2, steps=1), Round(total=4, steps=1), Round(total=8, steps=1), Round(total=15, steps=1))
    protocol = CostProtocol(triage=8, rounds=rounds, steps=1, accepted=exactly(16), passing=0.1)
    rng, spent = np.random.default_rng(0), []
    for _ in range(20_000):
        if rng.random() >= 0.4:  # not given back: passes triage by chance, and then nothing agrees
            spent.append(15 if rng.random() < 0.1 else 0)
            continue
        shows = rng.random(15) < 0.65
        spent.append(next((one.total for one in rounds if shows[: one.total].sum() >= 2), 15))
    expected = attack_cost(protocol, [RiskKind(prompts=1, verified=0.4, seeds=0.65)], control=1)[2].images.expected
    assert expected == pytest.approx(np.mean(spent), abs=4 * np.std(spent) / len(spent) ** 0.5)


@pytest.mark.parametrize("images", [0, 1, 2, 15, 500])
def test_undecided_with_one_needed_is_the_bound_of_the_search(images):
    found = undecided(images, 1, 0.25)
    assert found == pytest.approx(miss_bound(images, rate=0.25, chase=10**6))


@given(st.lists(st.integers(0, 40), min_size=1, max_size=30), st.integers(0, 800))
def test_a_budget_is_the_inverse_of_the_cost(costs, budget):
    spent = np.concatenate([[0], np.cumsum(costs)])
    found = prompts_within(budget, lambda prompts: float(spent[prompts]), prompts=len(costs))
    assert spent[found] <= budget
    assert found == len(costs) or spent[found + 1] > budget


def test_a_budget_below_the_controls_allows_no_prompt():
    assert prompts_within(5, lambda prompts: 10.0 + prompts, prompts=3) == 0


@given(kinds, st.integers(0, 1000))
def test_the_first_prompts_are_the_riskiest(planned, prompts):
    taken = first_kinds(planned, prompts)
    assert sum(kind.prompts for kind in taken) == min(prompts, sum(kind.prompts for kind in planned))
    full = [part.prompts == kind.prompts for part, kind in zip(taken, planned, strict=True)]
    assert all(a or not taken[i + 1].prompts for i, (a, _) in enumerate(pairwise(full)))
