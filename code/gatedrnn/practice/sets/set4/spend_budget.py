"""Item 5 of set 4: spend a budget of parameters by measurement, without looking at the test set."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def reference(parameters, validation, test, budget):
    """Return the affordable candidate with the least mean validation error, and its mean test error."""
    allowed = parameters <= budget
    mean = np.where(allowed, validation.mean(axis=1), np.inf)
    chosen = int(mean.argmin())
    return chosen, float(test[chosen].mean())


def draw(rng):
    """Candidates among which every wrong way to choose leads somewhere else."""
    while True:
        K, S = int(rng.integers(7, 10)), int(rng.integers(4, 7))
        parameters = rng.integers(200, 3000, size=K)
        budget = int(np.sort(parameters)[-3] + rng.integers(1, 20))
        quality = rng.uniform(0.2, 0.4, size=K) - 0.1 * (parameters > budget)
        validation = quality[:, None] + rng.normal(size=(K, S)) * rng.uniform(0.02, 0.15, size=(K, 1))
        test = quality[:, None] + 0.05 * rng.normal(size=(K, 1)) + 0.05 * rng.normal(size=(K, S))
        given = parameters, np.round(np.abs(validation), 4), np.round(np.abs(test), 4), budget
        chosen = reference(*given)[0]
        exact = bool(rng.random() < 0.5)  # what is best may use the budget up to the last parameter
        if exact:
            given = *given[:3], int(parameters[chosen])
        ways = (_by_test, _by_both, _by_best_seed, _over_budget, _median, *[_largest] * (not exact))
        others = [wrong(*given)[0] for wrong in ways]
        means = np.sort(given[1].mean(axis=1)[parameters <= given[3]])
        if len(means) > 3 and means[1] - means[0] > 1e-3 and others.count(reference(*given)[0]) == 0:
            return given


def plot(axes, function):
    """Draw validation errors against parameters and mark what was chosen."""
    parameters, validation, test, budget = draw(np.random.default_rng(5))
    chosen, _ = function(parameters, validation, test, budget)
    axes.plot(parameters, validation.mean(axis=1), "o", label="candidates")
    axes.plot(parameters[int(chosen)], validation[int(chosen)].mean(), "s", ms=12, mfc="none", label="chosen")
    axes.axvline(budget, color="0.6")
    axes.legend()
    axes.set(xlabel="parameters", ylabel="mean validation error", title="spend_budget")


def _choose(rank):
    def wrong(parameters, validation, test, budget):
        score = np.where(parameters <= budget, rank(parameters, validation, test), np.inf)
        chosen = int(np.argmin(score))
        return chosen, float(test[chosen].mean())

    return wrong


_by_test = _choose(lambda p, v, t: t.mean(axis=1))
_by_both = _choose(lambda p, v, t: v.mean(axis=1) + t.mean(axis=1))
_by_best_seed = _choose(lambda p, v, t: v.min(axis=1))
_largest = _choose(lambda p, v, t: -p.astype(float))
_median = _choose(lambda p, v, t: np.median(v, axis=1))


def _over_budget(parameters, validation, test, budget):
    chosen = int(validation.mean(axis=1).argmin())
    return chosen, float(test[chosen].mean())


def _within_allowed(parameters, validation, test, budget):
    """The index among the affordable candidates, not among all."""
    allowed = parameters <= budget
    return int(validation[allowed].mean(axis=1).argmin()), reference(parameters, validation, test, budget)[1]


MISCONCEPTIONS = (
    Misconception(
        "a full budget refused",
        "A candidate that uses the budget up to the last parameter is still within it: at most is <=.",
        (lambda p, v, t, b: reference(p, v, t, b - 1),),
    ),
    Misconception(
        "chosen by the test error",
        "The test error had a say in your choice. Then it is no test any more: the smallest of several noisy "
        "numbers is too good to be true. Choose by validation, and look at the test once.",
        (_by_test, _by_both),
    ),
    Misconception(
        "the best single seed",
        "You chose the candidate with the luckiest seed. Compare means over seeds.",
        (
            _by_best_seed,
            lambda p, v, t, b: (_by_best_seed(p, v, t, b)[0], float(t[_by_best_seed(p, v, t, b)[0]].min())),
        ),
    ),
    Misconception(
        "over the budget",
        "Your candidate costs more than the budget.",
        (_over_budget,),
    ),
    Misconception(
        "the largest affordable one",
        "You spent as much as you could. More parameters need not be better: choose by the validation error.",
        (_largest,),
    ),
    Misconception(
        "median instead of mean",
        "You compare medians; asked for are means over seeds.",
        (_median,),
    ),
    Misconception(
        "validation error reported",
        "You report the validation error of the candidate that has the smallest one. That flatters: report "
        "its test error.",
        (lambda p, v, t, b: (reference(p, v, t, b)[0], float(v[reference(p, v, t, b)[0]].mean())),),
    ),
    Misconception(
        "best test seed reported",
        "You report the luckiest test seed. Report the mean over seeds.",
        (lambda p, v, t, b: (reference(p, v, t, b)[0], float(t[reference(p, v, t, b)[0]].min())),),
    ),
    Misconception(
        "index among the affordable ones",
        "Your index counts only the candidates that you kept. Asked for is the place in the arrays as they "
        "came.",
        (_within_allowed,),
    ),
    Misconception(
        "the worst instead of the best",
        "You chose the largest error. Errors are better if they are smaller.",
        (_choose(lambda p, v, t: -v.mean(axis=1)),),
    ),
    Misconception(
        "cost instead of index",
        "You return what the candidate costs. Asked for is its place, counted from 0.",
        (lambda p, v, t, b: (int(p[reference(p, v, t, b)[0]]), reference(p, v, t, b)[1]),),
    ),
    Misconception(
        "errors of all seeds reported",
        "You report one test error for each seed, or their sum. Report the mean.",
        (
            lambda p, v, t, b: (reference(p, v, t, b)[0], t[reference(p, v, t, b)[0]]),
            lambda p, v, t, b: (reference(p, v, t, b)[0], float(t[reference(p, v, t, b)[0]].sum())),
        ),
    ),
    Misconception(
        "means over the wrong axis",
        "You take means over the candidates. Each candidate has a row; the mean over its seeds is "
        ".mean(axis=1).",
        error="broadcast|boolean index",
    ),
    Misconception(
        "one value returned instead of two",
        "Return two things: the index of the candidate and its mean test error.",
        (lambda *given: reference(*given)[0], lambda *given: reference(*given)[1]),
    ),
)

ITEM = Item(
    name="spend_budget",
    signature="spend_budget(parameters, validation, test, budget)",
    title="A budget to spend",
    parts=(Part("chosen"), Part("error")),
    reference=reference,
    questions=(
        Question("which candidate", 2, draw, grades=("chosen",), repeats=8),
        Question("what to expect of it", 1, draw, grades=("error",)),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Which candidates can you afford? Which numbers may decide among them, and which are there only to "
        "say how good the choice was?",
        "Means over seeds are .mean(axis=1). Set those of candidates over the budget to np.inf, take argmin "
        "of the validation means, and report the mean test error of that one.",
        "The expected picture: dots left and right of the grey line of the budget; the square is around the "
        "lowest dot left of it, though there are lower ones on the right.",
    ),
    plot=plot,
)
