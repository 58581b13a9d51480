import numpy as np
import pytest
from sklearn import metrics as peer

from thetahat.contracts import Prediction
from thetahat.measures.measure import Target, Undefined
from thetahat.measures.shown import shown_beside


def fold_scores(task, y, prediction, classes):
    """Return what is shown beside a verdict, as it is shown."""
    values = {}
    for label, measure in shown_beside(Target(task, tuple(range(classes)))):
        try:
            values[label] = measure.show(measure.value(y, prediction))
        except Undefined:
            values[label] = np.nan
    return values


def classified(classes, seed):
    rng = np.random.default_rng(seed)
    y = np.r_[np.arange(classes), rng.integers(classes, size=60)]
    # One decimal, so that beliefs tie.
    belief = np.round(rng.random((len(y), classes)) + 0.5 * np.eye(classes)[y], 1) + 0.1
    probability = belief / belief.sum(axis=1, keepdims=True)
    return y, Prediction(probability.argmax(axis=1), probability)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_scores_of_classes_equal_scikit_learns(classes, seed):
    y, said = classified(classes, seed)
    ours = fold_scores("classification", y, said, classes)
    average = "binary" if classes == 2 else "macro"
    auc = (
        peer.roc_auc_score(y, said.probability[:, 1])
        if classes == 2
        else np.mean([peer.roc_auc_score(y == c, said.probability[:, c]) for c in range(classes)])
    )
    assert ours == pytest.approx(
        {
            "accuracy": peer.accuracy_score(y, said.value),
            "balanced accuracy": peer.balanced_accuracy_score(y, said.value),
            "F1": peer.f1_score(y, said.value, average=average),
            "AUC": auc,
            "log-loss": peer.log_loss(y, said.probability),
        },
        rel=1e-12,
    )


def test_a_class_that_is_absent_from_a_fold_has_no_auc_and_no_recall():
    y, said = classified(3, 0)
    kept = y != 2
    few = Prediction(said.value[kept], said.probability[kept])
    ours = fold_scores("classification", y[kept], few, 3)
    assert np.isnan(ours["AUC"])
    labels = np.unique(y[kept])
    recall = peer.recall_score(y[kept], few.value, labels=labels, average="macro")
    assert ours["balanced accuracy"] == pytest.approx(recall)


def test_scores_of_numbers_equal_scikit_learns():
    rng = np.random.default_rng(0)
    y, value = rng.normal(size=(2, 50))
    assert fold_scores("regression", y, Prediction(value), 0) == pytest.approx(
        {
            "R²": peer.r2_score(y, value),
            "MAE": peer.mean_absolute_error(y, value),
            "RMSE": peer.root_mean_squared_error(y, value),
        }
    )
