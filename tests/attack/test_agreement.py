"""Agreement on planted lists."""

from scanner.attack import agreement


def test_two_generations_near_one_original_agree():
    found = agreement([[(7, 0.05)], [(9, 0.30)], [(7, 0.11), (9, 0.02)]], {}, threshold=0.12)
    assert (found.sample_id, found.count, found.distance) == (7, 2, 0.11)


def test_rows_of_one_group_are_one_original():
    found = agreement([[(7, 0.05)], [(8, 0.06)]], {7: 7, 8: 7}, threshold=0.12)
    assert (found.sample_id, found.count, found.distance) == (7, 2, 0.06)
    assert agreement([[(7, 0.05)], [(8, 0.06)]], {}, threshold=0.12) is None


def test_one_generation_does_not_agree_with_itself():
    assert agreement([[(7, 0.05), (8, 0.05)]], {7: 7, 8: 7}, threshold=0.12) is None


def test_an_agreement_beyond_the_threshold_tells_where_it_begins():
    found = agreement([[(7, 0.20)], [(7, 0.15)]], {}, threshold=0.12)
    assert (found.count, found.distance) == (0, 0.20)


def test_no_generations_do_not_agree():
    assert agreement([], {}, threshold=0.12) is None
    assert agreement([[], []], {}, threshold=0.12) is None
