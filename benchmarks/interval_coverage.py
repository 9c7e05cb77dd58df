"""How often the intervals hold the truth and the paired tests cry wolf, in simulated corpora.

    python benchmarks/interval_coverage.py [--corpora 2000] [--resamples 400] [--seed 0]

Prints the tables of docs/statistics.md. In a simulated corpus a classifier is fixed and speakers
are drawn: each has an effect of their own on the classifier's logit of being right, one more for
each emotion, their own habit of being confused, and their own number of clips. The truth is the
score of the expected confusions of new speakers. Only in the last table are classifiers trained.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nver.results.metrics import SCORES, recall_of
from nver.results.paired_tests import bootstrap_p, holm, paired_t, resampled_t
from nver.results.resampling import CLIPS_ALIKE, freedom_of, freedom_of_average
from nver.results.uncertainty import interval, percentile_interval

Array = npt.NDArray[np.float64]
Score = Callable[[Any], Any]
UAR = "unweighted_average_recall"
SPEAKERS = (4, 11, 24, 40)
AT_ONCE = 100  # corpora; bounds the memory
TRUTH_SPEAKERS = 400_000
FOLDS = 5
ALPHA = 0.05


@dataclass(frozen=True)
class World:
    """How speakers differ: deviations of logits, and of the logarithm of clips a speaker."""

    emotions: int = 6
    clips: float = 4.0  # a speaker and emotion, the mean
    level: float = 0.0  # logit of being right, the mean over emotions
    speaker: float = 1.0
    interaction: float = 0.7
    unequal: float = 0.5
    holders: int = 0  # speakers who have the last emotion; 0: all


WORLDS = {
    "UAR near 50 %": World(),
    "UAR near 87 %": World(level=2.5),
    "very unequal numbers of clips": World(unequal=1.2),
}


def draw(
    random: np.random.Generator, world: World, shape: tuple[int, ...], shared: Array | None = None
) -> Array:
    """(*shape, emotions, emotions): the chance of each answer, for speakers of that shape.

    `shared` (*shape,) is a part of the speaker effect that another system has too.
    """
    number = world.emotions
    own = random.normal(size=shape)
    effect = own if shared is None else np.sqrt(0.5) * (own + shared)
    logit = (
        world.level
        + np.linspace(-0.8, 0.8, number)
        + world.speaker * effect[..., None]
        + world.interaction * random.normal(size=(*shape, number))
    )
    right = 1 / (1 + np.exp(-logit))
    habit = random.random((*shape, 1))  # the share of errors that go to the next emotion
    chance = np.repeat(((1 - right) * (1 - habit) / (number - 1))[..., None], number, -1)
    place = np.arange(number)
    chance[..., place, place] = right
    chance[..., place, (place + 1) % number] += (1 - right) * habit
    return np.asarray(chance)


def sizes(
    random: np.random.Generator, world: World, shape: tuple[int, ...]
) -> npt.NDArray[np.int64]:
    """(*shape, emotions): clips of each speaker and emotion, one at least."""
    spread = world.unequal * random.normal(size=(*shape, 1)) - world.unequal**2 / 2
    clips = random.poisson(world.clips * np.exp(spread), (*shape, world.emotions))
    clips = np.maximum(1, clips)
    if world.holders:
        clips[..., -1] *= random.random(shape).argsort(-1) < world.holders
    return np.asarray(clips, np.int64)


def truth_of(world: World, seed: int) -> Array:
    """(emotions, emotions): the expected confusions of a new speaker."""
    random, total = np.random.default_rng(seed), np.zeros((world.emotions, world.emotions))
    world = replace(world, holders=0)  # recalls do not depend on who has an emotion
    for _ in range(TRUTH_SPEAKERS // 20_000):
        clips = sizes(random, world, (20_000,))
        total += (clips[..., None] * draw(random, world, (20_000,))).sum(0)
    return total / TRUTH_SPEAKERS


# ----------------------------------------------------------------------------------- coverage


def corpora_of(
    random: np.random.Generator, world: World, corpora: int, speakers: int
) -> Iterator[Array]:
    """(speakers, emotions, emotions) confusions of one corpus after the other."""
    for start in range(0, corpora, AT_ONCE):
        shape = (min(AT_ONCE, corpora - start), speakers)
        clips = sizes(random, world, shape)
        yield from random.multinomial(clips, draw(random, world, shape))


def resample_speakers(random: np.random.Generator, counts: Array, resamples: int) -> Array:
    number = len(counts)
    weights = random.multinomial(number, np.full(number, 1 / number), resamples)
    flat = weights.astype(np.float64) @ counts.reshape(number, -1)
    return flat.reshape(resamples, *counts.shape[1:])


def resample_clips(random: np.random.Generator, counts: Array, resamples: int) -> Array:
    total = counts.sum(0)
    drawn = random.multinomial(total.sum(), total.ravel() / total.sum(), resamples)
    return drawn.reshape(resamples, *total.shape)


def coverage(
    world: World, speakers: int, corpora: int, resamples: int, seed: int
) -> dict[str, dict[str, tuple[float, float]]]:
    """method -> score -> (share of intervals that hold the truth, median width).

    `resamples=0`: the jackknife alone, and its intervals of the first emotion's recall too.
    """
    random, expected = np.random.default_rng(seed), truth_of(world, seed + 1)
    alone = resamples or world.holders  # the other scores' truths depend on who has an emotion
    scores: dict[str, Score] = {UAR: SCORES[UAR]} if alone else SCORES | {"recall": _first}
    truth = {name: float(score(expected)) for name, score in scores.items()}
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for counts in corpora_of(random, world, corpora, speakers):
        total = counts.sum(0)
        by_speaker = resample_speakers(random, counts, resamples) if resamples else None
        by_clip = resample_clips(random, counts, resamples) if resamples else None
        for name, score in scores.items():
            bounds = {
                "jackknife": interval(
                    float(score(total)), score(total - counts), freedom=_freedom(counts, name)
                )
            }
            if world.holders:
                kish = freedom_of(counts.sum((1, 2)))
                both = float(score(total)), score(total - counts)
                bounds["kish"] = interval(*both, freedom=kish)
            if by_speaker is not None:
                drawn = score(by_speaker)
                bounds["expanded"] = percentile_interval(drawn, speakers)
                bounds["percentile"] = percentile_interval(drawn, speakers, expanded=False)
                bounds["clips"] = percentile_interval(score(by_clip), speakers, expanded=False)
            for method, ends in bounds.items():
                found.setdefault(method, {}).setdefault(name, []).append(ends)
    return {
        method: {name: _held(np.array(ends), truth[name]) for name, ends in own.items()}
        for method, own in found.items()
    }


def _freedom(counts: Array, name: str = UAR) -> float:
    clips = counts.sum(-1)
    if name == "recall":
        return freedom_of(clips[:, 0])
    return freedom_of(clips.sum(-1)) if name in CLIPS_ALIKE else freedom_of_average(clips)


def _first(counts: Array) -> Array:
    return np.asarray(recall_of(counts)[..., 0])  # type: ignore[arg-type]


def _held(ends: Array, truth: float) -> tuple[float, float]:
    low, high = ends.T
    return float(((low <= truth) & (truth <= high)).mean()), float(np.median(high - low))


# ---------------------------------------------------------------------------- false positives


def pairs_of(
    random: np.random.Generator, world: World, corpora: int, speakers: int
) -> Iterator[tuple[Array, Array]]:
    """Confusions of two systems on the same clips that are equally good over new speakers.

    The second follows the first's law with the emotions' order reversed: it is good at others, and
    every score is expected to be the same. Half of the variance of speakers is shared.
    """
    for start in range(0, corpora, AT_ONCE):
        shape = (min(AT_ONCE, corpora - start), speakers)
        clips, shared = sizes(random, world, shape), random.normal(size=shape)
        a = random.multinomial(clips, draw(random, world, shape, shared))
        reverse = draw(random, world, shape, shared)[..., ::-1, ::-1]
        yield from zip(a, random.multinomial(clips, reverse), strict=True)


def false_positives(
    world: World, speakers: int, corpora: int, resamples: int, seed: int, score: Score = SCORES[UAR]
) -> dict[str, float]:
    """test -> the share of corpora in which two equally good systems differ at 5 %."""
    random = np.random.default_rng(seed)
    rejected: dict[str, list[bool]] = {}
    for a, b in pairs_of(random, world, corpora, speakers):
        totals = a.sum(0), b.sum(0)
        difference = float(score(totals[0]) - score(totals[1]))
        without = score(totals[0] - a) - score(totals[1] - b)
        p = {"jackknife": paired_t(difference, without, freedom=_freedom(a))[2]}
        if world.holders:
            p["kish"] = paired_t(difference, without, freedom=freedom_of(a.sum((1, 2))))[2]
        if resamples:
            both = resample_speakers(random, np.concatenate([a, b], -1), resamples)
            drawn = score(both[..., : world.emotions]) - score(both[..., world.emotions :])
            p["expanded"] = bootstrap_p(drawn, speakers)
            low, high = np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2])
            p["percentile"] = float(low <= 0 <= high)
            clips = [score(resample_clips(random, one, resamples)) for one in (a, b)]
            low, high = np.quantile(clips[0] - clips[1], [ALPHA / 2, 1 - ALPHA / 2])
            p["clips"] = float(low <= 0 <= high)
        for name, value in p.items():
            rejected.setdefault(name, []).append(value < ALPHA)
    return {name: float(np.mean(values)) for name, values in rejected.items()}


def family(
    world: World, speakers: int, systems: int, corpora: int, seed: int, score: Score = SCORES[UAR]
) -> tuple[float, float]:
    """The share of tables of equally good systems in which any pair differs: plain, with Holm."""
    random, any_plain, any_holm = np.random.default_rng(seed), [], []
    for _ in range(corpora):
        clips, shared = sizes(random, world, (speakers,)), random.normal(size=speakers)
        found = []
        for _ in range(systems):
            counts = random.multinomial(clips, draw(random, world, (speakers,), shared))
            total = counts.sum(0)
            found.append((float(score(total)), score(total - counts)))
        p = [
            paired_t(
                found[i][0] - found[j][0],
                found[i][1] - found[j][1],
                freedom=freedom_of_average(clips),
            )[2]
            for i in range(systems)
            for j in range(i)
        ]
        any_plain.append(min(p) < ALPHA)
        any_holm.append(holm(p).min() < ALPHA)
    return float(np.mean(any_plain)), float(np.mean(any_holm))


# -------------------------------------------------------------------- with trained classifiers


def trained(speakers: int, seeds: int, corpora: int, seed: int) -> dict[str, float]:
    """test -> false positives for two classifiers that are trained on equally good embeddings.

    Nearest class means of three numbers a clip, four emotions, four clips a speaker and emotion,
    five speaker-independent folds; the embeddings are independent draws of one law.
    """
    random = np.random.default_rng(seed)
    rejected: dict[str, list[bool]] = {"jackknife": [], "corrected": [], "plain": []}
    for start in range(0, corpora, AT_ONCE):
        size = min(AT_ONCE, corpora - start)
        data = [embeddings(random, (size, speakers)) for _ in range(2)]
        rank = np.argsort(np.argsort(random.random((seeds, size, speakers)), -1), -1)
        a, b = ([confusions(x, fold) for fold in rank % FOLDS] for x in data)
        for corpus in range(size):
            one, two = (np.stack([c[corpus] for c in side]) for side in (a, b))
            for name, p in judged(one, two, rank[:, corpus] % FOLDS).items():
                rejected[name].append(p < ALPHA)
    return {name: float(np.mean(values)) for name, values in rejected.items()}


def embeddings(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """(corpora, speakers, emotions, clips, 3), emotions and speakers at places of their own."""
    centres = 0.8 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    speaker = 0.7 * random.normal(size=(*shape, 1, 1, 3))
    own = 0.7 * random.normal(size=(*shape, 4, 1, 3))
    return np.asarray(centres[:, None] + speaker + own + random.normal(size=(*shape, 4, 4, 3)))


def confusions(data: Array, fold: npt.NDArray[np.int64]) -> Array:
    """(corpora, speakers, 4, 4): each speaker predicted by the means of the other folds."""
    sums, counts = data.mean(3), np.empty((*data.shape[:2], 4, 4))
    for test in range(FOLDS):
        train = (fold != test).astype(np.float64)
        means = np.einsum("cs,csed->ced", train, sums) / train.sum(1)[:, None, None]
        distance = ((data[..., None, :] - means[:, None, None, None]) ** 2).sum(-1)
        hits = distance.argmin(-1)[..., None] == np.arange(4)
        counts[fold == test] = hits.sum(3)[fold == test]
    return counts


def judged(a: Array, b: Array, fold: npt.NDArray[np.int64]) -> dict[str, float]:
    """The p-values of two systems' confusions (seeds, speakers, 4, 4)."""
    score = SCORES[UAR]
    difference = (score(a.sum(1)) - score(b.sum(1))).mean()  # type: ignore[arg-type]
    without = (score(a.sum(1)[:, None] - a) - score(b.sum(1)[:, None] - b)).mean(0)  # type: ignore[arg-type]
    member = (fold[:, None] == np.arange(FOLDS)[:, None]).astype(np.float64)  # seeds, folds, ...
    folds = [score(np.einsum("zfs,zsij->zfij", member, x)).ravel() for x in (a, b)]  # type: ignore[arg-type]
    return {
        "jackknife": paired_t(float(difference), without)[2],
        "corrected": resampled_t(folds[0] - folds[1], 1 / (FOLDS - 1)),
        "plain": resampled_t(folds[0] - folds[1], 0),
    }


# ------------------------------------------------------------------------------------- tables


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(*cells: str) -> None:
    row(*cells)
    row(*["--:"] * len(cells))


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


def print_coverage(corpora: int, resamples: int, seed: int) -> None:
    for title, world in WORLDS.items():
        print(f"\nCoverage of 95 % intervals of UAR, {corpora:,} corpora, {title} (width)\n")
        head("speakers", "jackknife", "bootstrap, expanded", "bootstrap, plain", "over clips")
        for speakers in SPEAKERS:
            found = coverage(world, speakers, corpora, resamples, seed)
            cells = [found[m][UAR] for m in ("jackknife", "expanded", "percentile", "clips")]
            row(speakers, *(f"{percent(held)} ({percent(width)})" for held, width in cells))
    names = [*SCORES, "recall"]
    print("\nCoverage of the default by score, the first world\n")
    head("speakers", *names)
    for speakers in SPEAKERS:
        found = coverage(World(), speakers, corpora, 0, seed)["jackknife"]
        row(speakers, *(percent(found[name][0]) for name in names))


def print_tests(corpora: int, resamples: int, seed: int) -> None:
    for title, world in WORLDS.items():
        print(f"\nFalse positives at 5 %, {corpora:,} pairs of equally good systems, {title}\n")
        head("speakers", "jackknife", "bootstrap, expanded", "bootstrap, plain", "over clips")
        for speakers in SPEAKERS:
            found = false_positives(world, speakers, corpora, resamples, seed)
            row(
                speakers,
                *(percent(found[m]) for m in ("jackknife", "expanded", "percentile", "clips")),
            )
    print("\nTables of 8 equally good systems with any difference found (28 pairs)\n")
    head("speakers", "without correction", "Holm")
    for speakers in SPEAKERS:
        row(speakers, *map(percent, family(World(), speakers, 8, corpora, seed)))


def print_few(corpora: int, seed: int) -> None:
    print(f"\nUAR where one emotion is of few speakers, {corpora:,} corpora (width)\n")
    head("speakers", "having it", "held", "held, Kish's", "differ", "differ, Kish's")
    for speakers in (11, 40, 100):
        for holders in (2, 3, 5):
            world = World(holders=holders)
            held = coverage(world, speakers, corpora, 0, seed)
            wrong = false_positives(world, speakers, corpora, 0, seed)
            cells = [held[m][UAR] for m in ("jackknife", "kish")]
            texts = [f"{percent(share)} ({percent(width)})" for share, width in cells]
            row(speakers, holders, *texts, *(percent(wrong[m]) for m in ("jackknife", "kish")))


def print_trained(corpora: int, seed: int) -> None:
    print("\nFalse positives at 5 % with trained classifiers, five folds\n")
    head("speakers", "seeds", "jackknife", "corrected resampled t", "plain t over folds")
    for speakers in (10, 24, 40):
        for seeds in (1, 5):
            found = trained(speakers, seeds, corpora, seed)
            row(speakers, seeds, *(percent(found[m]) for m in ("jackknife", "corrected", "plain")))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    print_coverage(given.corpora, given.resamples, given.seed)
    print_tests(given.corpora, given.resamples, given.seed)
    print_few(given.corpora, given.seed)
    print_trained(given.corpora, given.seed)


if __name__ == "__main__":
    main()
