"""Item 5 of set 5: a learning rate, chosen from runs of which some have blown up."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question

LAST = 10


def judge_rates(losses, end=np.mean, seeds=np.mean, spoiled=np.inf):
    """Return a number for each rate: its loss over the last steps and all seeds."""
    with np.errstate(all="ignore"):
        late = end(losses[:, :, -LAST:], axis=2)
        found = seeds(late, axis=1)
    return np.where(np.isfinite(losses).all(axis=(1, 2)), found, spoiled)


def reference(rates, losses):
    """Return the rate with the smallest mean loss at the end, among those that never blew up."""
    return float(rates[int(np.argmin(judge_rates(losses)))])


# What a candidate looks like: where its runs end, how fast they get there (steps), how much they tremble, and
# how the four seeds differ. The last two blow up: the best of all while it lasted, and one that never was.
KINDS = {
    "steady": (0.20, 14, 0.05, (0.95, 1.0, 1.0, 1.05)),
    "trembling": (0.25, 14, 0.7, (0.95, 1.0, 1.0, 1.05)),
    "lucky once": (0.26, 14, 0.05, (0.3, 1.2, 1.2, 1.3)),
    "quick": (0.25, 1.5, 0.05, (0.95, 1.0, 1.0, 1.05)),
    "sluggish": (0.35, 25, 0.05, (0.95, 1.0, 1.0, 1.05)),
    "promising": (0.08, 10, 0.05, (0.95, 1.0, 1.0, 1.05)),
    "hopeless": (0.60, 20, 0.05, (0.95, 1.0, 1.0, 1.05)),
}


def draw(rng):
    """Seven rates by four seeds by 60 steps, so that every wrong way to choose leads somewhere else."""
    rates, t = np.geomspace(0.0001, 0.1, 7), np.arange(60)
    while True:
        losses = np.empty((7, 4, 60))
        for place, (name, (floor, speed, tremble, seeds)) in zip(
            rng.permutation(7), KINDS.items(), strict=True
        ):
            run = floor * rng.uniform(0.9, 1.1) * rng.permutation(seeds)[:, None] + np.exp(-t / speed)
            losses[place] = run * np.exp(tremble * rng.normal(size=(4, 60)) - tremble**2 / 2)
            if name in ("promising", "hopeless"):
                losses[place, int(rng.integers(4)), int(rng.integers(30, 55)) :] = np.nan
        choices = [choose(rates, losses) for choose in (reference, _nanmean, _dips, _lucky, _whole)]
        ends = np.sort(judge_rates(losses))
        if len(set(choices)) == len(choices) and ends[1] > 1.03 * ends[0]:
            return rates, losses


def plot(axes, function):
    """Draw the mean loss of each rate at the end, and the rate that was chosen."""
    rates, losses = draw(np.random.default_rng(1))
    axes.semilogx(rates, np.nanmean(losses[:, :, -LAST:], axis=(1, 2)), "o")
    axes.axvline(float(function(rates, losses)), color="0.6", linestyle="--")
    axes.set(xlabel="learning rate", ylabel="loss at the end", title="choose_rate")


def _by(score):
    return lambda rates, losses: float(rates[int(np.argmin(score(losses)))])


def _nanmean(rates, losses):
    return _by(lambda x: np.nanmean(x[:, :, -LAST:], axis=(1, 2)))(rates, losses)


def _dips(rates, losses):
    return _by(lambda x: judge_rates(x, end=np.min))(rates, losses)


def _lucky(rates, losses):
    return _by(lambda x: judge_rates(x, seeds=np.min))(rates, losses)


def _whole(rates, losses):
    return _by(lambda x: np.where(np.isfinite(x).all(axis=(1, 2)), x.mean(axis=(1, 2)), np.inf))(
        rates, losses
    )


def _place_among_safe(rates, losses):
    safe = losses[np.isfinite(losses).all(axis=(1, 2))]
    return float(rates[int(np.argmin(judge_rates(safe)))])


MISCONCEPTIONS = (
    Misconception(
        "NaN chosen",
        "You chose a rate whose runs blew up: np.argmin takes NaN for the smallest of all.",
        (_by(lambda x: x[:, :, -LAST:].mean(axis=(1, 2))), _by(lambda x: x.mean(axis=(1, 2)))),
    ),
    Misconception(
        "blown-up runs overlooked",
        "np.nanmean passes over the runs that blew up, and praises the rate for the others. One run of four "
        "that is lost is one too many: such a rate is out.",
        (_nanmean, _by(lambda x: np.nanmean(x, axis=(1, 2)))),
    ),
    Misconception(
        "the luckiest seed",
        "You compare the best seed of each rate. Take the mean over seeds: you cannot order luck.",
        (_lucky,),
    ),
    Misconception(
        "the lowest dip",
        "You favour the rate that trembles most, as the lowest loss, a single step or a median does. Take "
        "the mean of the last ten steps.",
        (_dips, _by(lambda x: np.where(np.isfinite(x).all(axis=(1, 2)), x.min(axis=(1, 2)), np.inf))),
    ),
    Misconception(
        "mean over the whole run",
        "You favour the rate with the quickest start, as a mean over the whole run or its first steps does. "
        "Asked for is the end: the last ten steps.",
        (_whole,),
    ),
    Misconception(
        "the worst rate",
        "You chose the largest loss.",
        (_by(lambda x: -judge_rates(x, spoiled=-np.inf)),),
    ),
    Misconception(
        "index among the safe ones",
        "Your index counts only the rates that you kept. Put the others at infinity, or pick from the rates "
        "that you kept, too.",
        (_place_among_safe,),
    ),
    Misconception(
        "no loss looked at",
        "You take the smallest or the largest of the safe rates. Which one has the smallest loss?",
        (
            lambda rates, losses: float(rates[np.isfinite(losses).all(axis=(1, 2))].min()),
            lambda rates, losses: float(rates[np.isfinite(losses).all(axis=(1, 2))].max()),
        ),
    ),
    Misconception(
        "an array instead of a number",
        "Your rate is right, in an array. Return the number.",
        (lambda *given: np.array([reference(*given)]),),
    ),
    Misconception(
        "index instead of rate",
        "You return the place of the rate. Return the rate itself.",
        (lambda rates, losses: int(np.argmin(judge_rates(losses))),),
    ),
    Misconception(
        "loss instead of rate",
        "You return the loss. Return the rate.",
        (lambda rates, losses: float(judge_rates(losses).min()),),
    ),
)

ITEM = Item(
    name="choose_rate",
    signature="choose_rate(rates, losses)",
    title="A learning rate, by measurement",
    parts=(Part("rate"),),
    reference=reference,
    questions=(Question("runs of which some blew up", 2, draw, repeats=5),),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "What makes a rate good: how low a run gets once, or where all its runs end? And what is a rate "
        "worth with which one run in four is lost?",
        "Put rates with any loss that is not finite at infinity. For the others take losses[:, :, "
        "-10:].mean over steps and seeds; np.argmin; return rates at that place.",
        "The expected picture: seven dots; the dashed line goes through a low one that is not the lowest, "
        "because the lowest belongs to a rate that has blown up.",
    ),
    plot=plot,
)
