"""Why a model is worse: bias, which more capacity lowers, or variance, which more rows lower.

Held-out loss is training loss plus optimism. Where a model loses more than the first already on the rows
that trained it, its capacity is too small for these rows; where it loses more only on new rows, it is too
large for them. Both differences are paired draw by draw and add up to the gap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from thetahat.contracts import FloatArray
from thetahat.display import numbers
from thetahat.judgment.pairs import Rule, verdict_of
from thetahat.measures.measure import Measure
from thetahat.resampling.intervals import METHODS, OverDraws
from thetahat.results.comparison import ModelRecord, PairRecord, Part, WhyRecord

__all__ = ["explained"]

# An optimism below this part of the held-out loss leaves little for more rows to gain.
MUCH = 0.25
# The intervals whose draws the corrected t over draws holds for.
OVER_DRAWS = ("corrected-t", "clt", "clt-within", "plain")


def explained(
    models: Sequence[ModelRecord],
    losses: Mapping[str, OverDraws],
    training: Mapping[str, FloatArray],
    pairs: Sequence[PairRecord],
    rule: Rule,
    measure: Measure,
) -> tuple[ModelRecord, ...]:
    """Return the models, each that has a result with why it loses what it loses.

    Parameters
    ----------
    models : sequence of ModelRecord
        Best first.
    losses : mapping of str to OverDraws
        Held-out losses on the same draws, best first.
    training : mapping of str to ndarray
        Mean loss on the training rows of each of those draws.
    pairs : sequence of PairRecord
        Every pair: no cause is given for a model that is not worse than the first.
    rule : Rule
        Level of the intervals, and whether draws can give any.
    measure : Measure
        Its direction, and how it is shown.
    """
    first = next(iter(losses), "")
    others = [name for name in losses if name != first]
    worse = {name for name in others if verdict_of(pairs, name, first) == "worse"}
    sign = measure.sign
    explained_models = []
    for model in models:
        known = model.name in losses and not np.isnan([training[first], training[model.name]]).any()
        if not known:
            explained_models.append(model)
            continue
        optimism = _part(losses[model.name], sign * (losses[model.name].values - training[model.name]), rule)
        if model.name == first:
            why = WhyRecord(optimism, None, None, "none", _limited(model, optimism, measure))
        else:
            why = _against(
                model, models, first, losses, training, optimism, rule, model.name in worse, measure
            )
        explained_models.append(replace(model, why=why))
    return tuple(explained_models)


def _part(over: OverDraws, values: FloatArray, rule: Rule) -> Part:
    quantity = OverDraws(values, over.n_train, over.n_test)
    if len(values) < 2 or rule.method.name not in OVER_DRAWS:
        return Part(float(values.mean()), None, None)
    mean = METHODS["corrected-t"](quantity)
    low, high = mean.interval(rule.level)
    if math.isnan(low) or math.isnan(high):
        return Part(mean.estimate, None, None)
    return Part(mean.estimate, low, high)


def _limited(model: ModelRecord, optimism: Part, measure: Measure) -> str:
    assert model.loss is not None
    at = model.loss.estimate
    left = measure.bounds[1] - at if measure.higher_is_better else at - measure.bounds[0]
    if not math.isfinite(left):
        return f"{model.name} comes first: {_both(model, measure)}."
    much = optimism.estimate > MUCH * left
    clear = optimism.low is not None and optimism.low > 0
    seen = _both(model, measure)
    if much and clear:
        return f"{model.name} comes first, and more rows should still help it: {seen}."
    if much:
        return f"{model.name} comes first, and the draws do not show whether more rows would help it: {seen}."
    return (
        f"{model.name} comes first, and more rows alone would gain it little: {seen}. "
        "What is left is noise, or bias that other columns or more capacity would lower."
    )


def _against(
    model: ModelRecord,
    models: Sequence[ModelRecord],
    first: str,
    losses: Mapping[str, OverDraws],
    training: Mapping[str, FloatArray],
    optimism: Part,
    rule: Rule,
    worse: bool,
    measure: Measure,
) -> WhyRecord:
    name, over = model.name, losses[model.name]
    gap = measure.sign * (over.values - losses[first].values)
    seen = measure.sign * (training[name] - training[first])
    bias, variance = _part(over, seen, rule), _part(over, gap - seen, rule)
    leader = next(each for each in models if each.name == first)
    beside = f"{_both(model, measure)}; {first}: {_numbers(leader)}"
    if not worse:
        said = f"{name} cannot be told apart from {first}: {beside}."
        return WhyRecord(optimism, bias, variance, "none", said)
    more_seen = bias.low is not None and bias.low > 0
    more_new = variance.low is not None and variance.low > 0
    if more_seen and not more_new:
        said = f"{name} loses to bias: already on its training rows it is worse than {first} ({beside})."
        return WhyRecord(optimism, bias, variance, "bias", said)
    if more_new and not more_seen:
        said = (
            f"{name} loses to variance: the gap to {first} opens on new rows, not on the rows that "
            f"trained it ({beside})."
        )
        return WhyRecord(optimism, bias, variance, "variance", said)
    if more_seen and more_new:
        share = bias.estimate / (bias.estimate + variance.estimate)
        said = (
            f"{name} loses to bias and to variance: {100 * share:.0f} % of the gap to {first} is there "
            f"already on training rows ({beside})."
        )
        return WhyRecord(optimism, bias, variance, "both", said)
    said = f"The draws do not show why {name} is worse ({beside})."
    return WhyRecord(optimism, bias, variance, "unclear", said)


def _both(model: ModelRecord, measure: Measure) -> str:
    return f"{measure.shown_as} {_numbers(model)}"


def _numbers(model: ModelRecord) -> str:
    assert model.shown is not None
    seen = numbers.beside(model.train_shown, model.shown.se)
    return f"{seen} on training rows, {numbers.beside(model.shown.estimate, model.shown.se)} on new ones"
