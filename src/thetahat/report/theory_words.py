"""The fixed words of the theory's terminal and page, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from thetahat.display import numbers
from thetahat.results.theory import Language, MeasureRecord, StatementRecord, TheoryRecord, Words

__all__ = ["LABELS", "VERDICTS", "claimed", "measured", "summary", "verdict_sentence"]

VERDICTS: Mapping[str, Words] = {
    "holds": Words("holds", "верно"),
    "holds only if": Words("holds only under a condition", "верно лишь при условии"),
    "fails": Words("fails as written", "неверно в таком виде"),
}

LABELS: Mapping[str, Words] = {
    "title": Words("The notes, run as experiments", "Конспект, проверенный опытами"),
    "over": Words(
        "Goodfellow, Bengio and Courville, Deep Learning: notes", "Конспект по книге «Глубокое обучение»"
    ),
    "contents": Words("What was tried", "Что проверено"),
    "section": Words("section", "раздел"),
    "statement": Words("statement", "утверждение"),
    "verdict": Words("verdict", "вывод"),
    "claim": Words("Claim", "Утверждение"),
    "measured": Words("measured", "измерено"),
    "quantity": Words("quantity", "величина"),
    "claimed": Words("claimed", "по утверждению"),
    "agrees": Words("agrees", "согласуется"),
    "outside": Words("outside the condition", "вне условия"),
    "yes": Words("yes", "да"),
    "no": Words("no", "нет"),
    "points": Words("The numbers behind the picture", "Числа рисунка"),
    "series": Words("series", "ряд"),
    "calls": Words("In a program", "В программе"),
    "errata": Words("Slips of the notes", "Опечатки конспекта"),
    "meant": Words("read", "следует читать"),
    "provenance": Words("Where this comes from", "Происхождение"),
    "again": Words("To do it again:", "Чтобы повторить:"),
    "errors_are": Words(
        "Measured ± one Monte-Carlo standard error; without an error where nothing is random",
        "Измерено ± стандартная ошибка Монте-Карло; без ошибки там, где нет случайности",
    ),
    "seed": Words("Seed", "Зерно генератора"),
    "error_bars": Words(
        "Bars: two Monte-Carlo standard errors", "Отрезки: две стандартные ошибки Монте-Карло"
    ),
}


def summary(record: TheoryRecord, language: Language) -> str:
    """Say in one sentence how many statements hold."""
    verdicts = [each.verdict for chapter in record.chapters for each in chapter.statements]
    total, holds, only, fails = (
        len(verdicts),
        verdicts.count("holds"),
        verdicts.count("holds only if"),
        verdicts.count("fails"),
    )
    return Words(
        f"Of {total} statements, {holds} hold, {only} hold only under a condition and {fails} "
        f"{'fails' if fails == 1 else 'fail'} as written.",
        f"Утверждений: {total}. Верно: {holds}; верно лишь при условии: {only}; неверно в таком виде: "
        f"{fails}.",
    ).of(language)


def verdict_sentence(each: StatementRecord, language: Language) -> str:
    """Say the verdict of a statement, as the beginning of a sentence."""
    words = VERDICTS[each.verdict].of(language)
    return words[0].upper() + words[1:]


def measured(each: MeasureRecord) -> str:
    """Return a measured number with its error, with as many digits as that allows."""
    if each.value is None:
        return {"inf": "∞", "-inf": "\N{MINUS SIGN}∞"}.get(each.said, numbers.MISSING)
    return numbers.with_error(each.value, each.error) if each.error > 0 else _figure(each.value)


def claimed(each: MeasureRecord) -> str:
    """Return what a statement says of a number."""
    low, high = each.low, each.high
    if low is not None and high is not None:
        if high - low <= 1e-2 * max(abs(low), abs(high)) or high == low or -low == high <= 1e-4:
            return _figure(0.5 * (low + high))
        return numbers.interval(low, high, None).replace(" to ", " … ")
    return f"> {_figure(low)}" if low is not None else f"< {_figure(high)}"


def _figure(value: float | None) -> str:
    return "0" if value == 0 else numbers.figure(value)
