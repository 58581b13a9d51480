"""Draws of your own: every form that an argument takes, and what is refused by name."""

import numpy as np
import pytest
from sklearn import model_selection as ms

from thetahat.contracts import Draw
from thetahat.errors import UsageError
from thetahat.resampling.own_plans import FoldColumn, OwnDraws, Splitter, as_plan, draws_of
from thetahat.resampling.plans import KFold, LeaveOneOut, Rows

CODES = np.repeat([0, 1, 2], 8)
GROUPS = np.tile(np.arange(6), 4)
ALL = Rows(24, CODES)
GROUPED = Rows(24, CODES, GROUPS)


def drawn(asked, rows=ALL, seed=0):
    return draws_of(as_plan(asked), rows, rng=np.random.default_rng(seed))


def pairs(draws):
    return [(d.train.tolist(), d.test.tolist()) for d in draws]


SPLITTERS = [
    ms.KFold(4),
    ms.KFold(4, shuffle=True),
    ms.RepeatedKFold(n_splits=3, n_repeats=2),
    ms.StratifiedKFold(4, shuffle=True),
    ms.ShuffleSplit(5, test_size=0.25),
    ms.StratifiedShuffleSplit(5, test_size=0.25),
    ms.GroupKFold(3),
    ms.GroupShuffleSplit(3),
    ms.StratifiedGroupKFold(3),
    ms.LeaveOneOut(),
    ms.LeavePOut(2),
    ms.LeaveOneGroupOut(),
    ms.TimeSeriesSplit(4),
    ms.PredefinedSplit(np.tile([0, 1, -1], 8)),
]


@pytest.mark.parametrize("splitter", SPLITTERS, ids=repr)
def test_every_splitter_gives_its_own_splits_and_the_same_for_the_same_generator(splitter):
    grouped = "Group" in type(splitter).__name__
    rows, groups = (GROUPED, GROUPS) if grouped else (ALL, None)
    one, again = drawn(splitter, rows), drawn(splitter, rows)
    assert pairs(one) == pairs(again)
    assert len(one) == splitter.get_n_splits(np.zeros(24), CODES, groups)
    if getattr(splitter, "random_state", 0) is None and getattr(splitter, "shuffle", True):
        assert pairs(one) != pairs(drawn(splitter, rows, seed=1))
        assert splitter.random_state is None
    else:
        own = [(train.tolist(), test.tolist()) for train, test in splitter.split(np.zeros(24), CODES, groups)]
        assert pairs(one) == own


def test_a_random_state_inside_a_splitter_is_not_consumed():
    splitter = ms.ShuffleSplit(3, random_state=np.random.RandomState(4))
    assert pairs(drawn(splitter)) == pairs(drawn(splitter))


def test_a_splitter_that_ignores_the_groups_warns():
    with pytest.warns(UserWarning, match="groups parameter is ignored by ShuffleSplit"):
        drawn(ms.ShuffleSplit(3), GROUPED)


class OfColumns(ms.KFold):
    """Splits by the sign of the first column."""

    def split(self, X, y=None, groups=None):
        held = X[:, 0] > 0
        yield np.flatnonzero(~held), np.flatnonzero(held)


@pytest.mark.parametrize(
    ("splitter", "rows", "said"),
    [
        (ms.GroupKFold(3), Rows(24), r"^cv: GroupKFold cannot split these rows: .*groups.*list\(splitter"),
        (ms.StratifiedKFold(3), Rows(24), r"^cv: StratifiedKFold cannot split .* give the splits themselves"),
        (ms.KFold(30), Rows(24), "^cv: KFold cannot split these rows: .*greater than the number of samples"),
        (OfColumns(2), Rows(24), "^cv: OfColumns cannot split these rows"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_splitter_that_needs_what_it_is_not_given_is_refused_with_the_cure(splitter, rows, said):
    with pytest.raises(UsageError, match=said):
        drawn(splitter, rows)


def test_what_a_splitter_yields_is_checked():
    class Odd:
        def __init__(self, splits):
            self.splits = splits

        def split(self, X, y, groups):
            return self.splits

        def get_n_splits(self):
            return 1

    with pytest.raises(UsageError, match="^cv: Odd must yield"):
        drawn(Odd([3]))
    with pytest.raises(UsageError, match="^cv: Odd gives no split"):
        drawn(Odd([]))
    with pytest.raises(UsageError, match="^cv: row 1 .* both trains and is held out in split 1"):
        drawn(Odd([([0, 1], [1, 2])]))


def test_index_arrays_draws_and_truth_values_are_taken():
    held = np.arange(24) >= 20
    for asked in (
        [(np.arange(20), np.arange(20, 24))],
        [[list(range(20)), list(range(20, 24))]],
        [(~held, held)],
        [Draw(np.arange(20), np.arange(20, 24))],
        iter([(np.arange(20), np.arange(20, 24))]),
        ms.KFold(6).split(np.zeros(24)),
    ):
        draws = drawn(asked)
        assert len(draws[-1].train) == 20
        assert draws[-1].test.tolist() == [20, 21, 22, 23]
    # A row may train twice.
    assert drawn([([0, 0, 1], [2])])[0].train.tolist() == [0, 0, 1]


def test_rows_of_the_table_that_are_not_used_are_left_out_of_the_draws():
    rows = Rows(3, row=np.array([0, 2, 3]), given=5)
    draw = drawn([([0, 1, 2], [3, 4])], rows)[0]
    assert draw.train.tolist() == [0, 1]
    assert draw.test.tolist() == [2]
    with pytest.raises(UsageError, match="no row is held out in split 1"):
        drawn([([0, 2], [4])], rows)


def test_plans_numbers_of_folds_and_their_names_are_taken():
    assert as_plan(None) == KFold(10)
    assert as_plan(None, KFold(5, 10)) == KFold(5, 10)
    assert as_plan(7, repeats=3) == KFold(7, 3)
    assert as_plan(np.int64(7)) == KFold(7)
    assert as_plan("cv:2x5") == KFold(5, 2)
    assert as_plan("loo") == LeaveOneOut()
    plan = FoldColumn(CODES, "f")
    assert as_plan(plan) is plan
    assert isinstance(as_plan(ms.KFold()), Splitter)
    assert isinstance(as_plan([([0], [1])]), OwnDraws)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (True, "^folds: a plan such as"),
        (5.0, "^folds: a plan such as .* not float"),
        (1, "^folds: cross-validation takes at least 2 folds"),
        ("cv:1", "^folds: cross-validation takes at least 2 folds"),
        ("ten", "^folds: 'ten' is not a plan"),
        (ms.KFold, r"^folds: KFold is a class; give an object, KFold\(\)"),
        (np.arange(4), "^folds: a plan such as .* not ndarray"),
        ([1, 2], "^folds: a plan such as .* not list"),
        ([], "^folds: there is no split"),
        ([([0.5], [1])], "^folds: the training rows of split 1 must be integer indices"),
        ([([0], [99])], "^folds: the held-out rows of split 1 name row 99, but the table has rows 0 to 23"),
        ([([0], [-1])], "^folds: the held-out rows of split 1 name row -1"),
        ([([0], [1, 1])], "^folds: a row is held out twice in split 1"),
        ([([], [1])], "^folds: no row trains in split 1"),
        ([([0], [[1], [2, 3]])], "^folds: the held-out rows of split 1 must be integer indices"),
        (30, "^folds: 30 folds of 24 rows"),
    ],
)
def test_what_is_no_plan_is_named_with_its_argument(asked, said):
    with pytest.raises(UsageError, match=said):
        draws_of(as_plan(asked, what="folds"), Rows(24), rng=np.random.default_rng(0), what="folds")
