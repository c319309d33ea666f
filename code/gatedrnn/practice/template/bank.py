"""Set 0: a second right answer to every item, and a learner's code for every mistake it knows."""

SMOOTH = """
def smooth(x, keep):
    y, rows = {start}, []
    for row in x:
        y = {step}
        rows.append(y)
    return {result}
"""
CHOOSE = """
def choose_keep(x):
    def smooth(keep):
        weights = (1 - keep) * keep ** np.arange(len(x))
        return np.convolve(x, weights)[:len(x)]
    choices = np.linspace(0, 0.99, 100)
    return choices[np.argmin([{loss} for keep in choices])]
"""


def smooth(**changes):
    """A right answer to `smooth`, with some pieces changed."""
    pieces = dict(start="0 * x[0]", step="keep * y + (1 - keep) * row", result="np.stack(rows)")
    return SMOOTH.format(**{**pieces, **changes})


def choose(loss="((smooth(keep)[:-1] - x[1:]) ** 2).sum()"):
    """A right answer to `choose_keep`, with another measure."""
    return CHOOSE.format(loss=loss)


RIGHT = {"smooth": smooth(), "choose_keep": choose()}

# (item, the mistake that must be recognised, points that are earned all the same, the learner's code)
WRONG = [
    ("smooth", "weights exchanged", 0, smooth(step="(1 - keep) * y + keep * row")),
    ("smooth", "input not weighted", 0, smooth(step="keep * y + row")),
    ("smooth", "started from the first value", 0, smooth(start="x[0]")),
    ("smooth", "only the last value", 0, smooth(result="y")),
    ("smooth", "one number taken for a row", 1, smooth(step="keep * y + (1 - keep) * float(row)")),
    ("choose_keep", "as smooth as possible", 1, choose(loss="np.abs(np.diff(smooth(keep))).sum()")),
    ("choose_keep", "compared with itself", 1, choose(loss="((smooth(keep) - x) ** 2).sum()")),
]
HALF_DONE = (
    [smooth(start="0.0", step="keep * y + (1 - keep) * float(row)")],
    {"smooth": 1, "choose_keep": 0},
)
