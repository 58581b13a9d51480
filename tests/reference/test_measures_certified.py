"""Measures, their jackknife values and influences, DeLong's variance and cross-validated AUC, certified."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from thetahat.contracts import Prediction
from thetahat.measures.measure import Target
from thetahat.measures.registry import choose_measure
from thetahat.measures.shown import shown_beside

DATA = Path(__file__).parents[1] / "data" / "measures"
DELONG, CV_AUC, METRICS = (
    json.loads((DATA / f"{name}.json").read_text()) for name in ("delong", "cv_auc", "metrics")
)
TWO = Target("classification", ("0", "1"))
THREE = Target("classification", ("0", "1", "2"))
NUMBERS = Target("regression")
OURS = {
    "f1": "f1",
    "mcc": "mcc",
    "balanced_accuracy": "balanced-accuracy",
    "cohen_kappa": "kappa:unweighted",
    "brier": "brier",
    "average_precision": "average-precision",
    "roc_auc": "auc",
    "macro_f1": "f1-macro",
    "r2": "r2",
    "mse": "squared-error",
    "rmse": "squared-error",
    "mae": "absolute-error",
}
# Precision and recall are scikit-learn's scorers, tested below; Pearson's correlation is a function.
CASES = [
    (table, metric)
    for table, case in METRICS.items()
    for metric in case["metrics"]
    if metric in OURS or metric == "accuracy"
]


def problem(table):
    case = METRICS[table]
    y = np.array(case["y"])
    if table == "regression":
        return NUMBERS, y, Prediction(np.array(case["pred"]))
    value = np.array(case["pred"])
    if table == "three_classes":
        return THREE, y, Prediction(value)
    p = np.array(case["score"])
    return TWO, y, Prediction(value, np.column_stack([1 - p, p]))


def measure_of(metric, target):
    return (
        dict(shown_beside(target))["accuracy"]
        if metric == "accuracy"
        else choose_measure(OURS[metric], target)
    )


@pytest.mark.parametrize(("table", "metric"), CASES)
def test_certified_values_jackknife_values_and_influences(table, metric):
    certified = METRICS[table]["metrics"][metric]
    target, y, prediction = problem(table)
    measure = measure_of(metric, target)
    found = measure.of(y, prediction)
    root = metric == "rmse"
    value = measure.show(found.value) if root else found.value
    influence = found.influence / (2 * value) if root else found.influence
    assert value == pytest.approx(certified["value"], rel=1e-13)
    np.testing.assert_allclose(influence, certified["influence"], rtol=1e-11, atol=1e-13)
    error = np.sqrt(np.sum(found.influence**2)) / len(y)
    error = measure.show_error(found.value, error) if root else error
    assert error == pytest.approx(certified["se_influence"], rel=1e-12)
    without = [
        measure.value(y[rows], prediction.take(rows))
        for rows in (np.flatnonzero(np.arange(len(y)) != i) for i in range(len(y)))
    ]
    np.testing.assert_allclose(
        np.sqrt(without) if root else without, certified["jackknife_values"], rtol=1e-12, atol=1e-14
    )


def correlation(y, prediction):
    return float(np.corrcoef(y, prediction.value)[0, 1])


@pytest.mark.parametrize(
    ("table", "metric", "asked"),
    [
        ("binary_ties", "precision", "precision"),
        ("binary_few_ties", "recall", "recall"),
        ("regression", "pearson", correlation),
    ],
)
def test_certified_jackknife_errors_of_scorers_and_functions(table, metric, asked):
    certified = METRICS[table]["metrics"][metric]
    target, y, prediction = problem(table)
    if target is TWO:
        target = Target("classification", (0, 1))
    found = choose_measure(asked, target).of(y, prediction)
    n = len(y)
    assert found.value == pytest.approx(certified["value"], rel=1e-13)
    jackknife = np.array(certified["jackknife_values"])
    np.testing.assert_allclose(found.influence, (n - 1) * (jackknife.mean() - jackknife), atol=1e-12)
    assert np.sqrt(np.sum(found.influence**2) / (n * (n - 1))) == pytest.approx(
        certified["se_jackknife"], rel=1e-12
    )


def of_scores(y, scores):
    s = np.asarray(scores, dtype=float)
    prediction = Prediction((s > 0).astype(int), score=np.column_stack([-s, s]))
    return choose_measure("auc", TWO).of(np.asarray(y), prediction)


def delong_covariance(a, b, strata):
    n = len(strata)
    total = 0.0
    for code in np.unique(strata):
        rows = strata == code
        size = np.count_nonzero(rows)
        total += size / (size - 1) * np.sum(a[rows] * b[rows])
    return total / n**2


SINGLE = [(name, key) for name, case in DELONG.items() for key in ("a", "b") if f"single_{key}" in case]


@pytest.mark.parametrize(("name", "key"), SINGLE)
def test_auc_has_delongs_variance_and_logit_interval(name, key):
    case = DELONG[name]
    certified = case[f"single_{key}"]
    found = of_scores(case["y"], case[key])
    variance = delong_covariance(found.influence, found.influence, found.strata)
    assert found.value == pytest.approx(certified["auc"], rel=1e-14)
    assert variance == pytest.approx(certified["var"], rel=1e-13, abs=1e-30)
    for level, (low, high) in certified["ci_logit"].items() if certified["var"] else ():
        z = norm.ppf((1 + float(level)) / 2)
        ends = choose_measure("auc", TWO).interval(found.value, np.sqrt(variance), z)
        assert ends == pytest.approx((low, high), rel=1e-12)


@pytest.mark.parametrize("name", [name for name, case in DELONG.items() if "paired" in case])
def test_difference_of_two_aucs_has_delongs_covariance(name):
    case = DELONG[name]
    certified = case["paired"]
    a, b = (of_scores(case["y"], case[key]) for key in ("a", "b"))
    assert delong_covariance(a.influence, b.influence, a.strata) == pytest.approx(certified["cov"], rel=1e-12)
    gap = a.influence - b.influence
    assert a.value - b.value == pytest.approx(certified["diff"], rel=1e-13)
    assert np.sqrt(delong_covariance(gap, gap, a.strata)) == pytest.approx(certified["se_diff"], rel=1e-12)


@pytest.mark.parametrize("name", CV_AUC)
def test_cross_validated_auc_has_the_error_of_the_infinitesimal_jackknife(name):
    case = CV_AUC[name]
    y, score, fold = (np.array(case[key]) for key in ("y", "score", "fold"))
    n, folds = len(y), np.unique(fold)
    influence, aucs = np.zeros(n), []
    for each in folds:
        rows = fold == each
        found = of_scores(y[rows], score[rows])
        aucs.append(found.value)
        influence[rows] = n / (len(folds) * np.count_nonzero(rows)) * found.influence
        assert found.value == pytest.approx(case["fold_auc"][str(each)], rel=1e-14)
    assert np.mean(aucs) == pytest.approx(case["cv_auc"], rel=1e-14)
    error = np.sqrt(np.sum(influence**2)) / n
    assert error == pytest.approx(case["se_infinitesimal_jackknife"], rel=1e-13)
    if name == "balanced_no_ties":
        np.testing.assert_allclose(influence, case["influence"], atol=1e-13)
        assert error == pytest.approx(case["se_ledell"], rel=1e-13)
    if "id" in case:
        ids = np.bincount(case["id"], influence)
        clustered = np.sqrt(np.sum(ids**2)) / n
        assert clustered == pytest.approx(case["se_infinitesimal_jackknife_ids"], rel=1e-13)
