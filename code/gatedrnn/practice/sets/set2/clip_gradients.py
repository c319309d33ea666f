"""Item 5 of set 2: clipping by the norm of all gradients together."""

import numpy as np

from gatedrnn.practice.items import Item, Misconception, Part, Question


def norm(dW, db):
    """Return the length of the vector of all entries."""
    return np.sqrt(np.sum(dW**2) + np.sum(db**2))


def reference(dW, db, limit):
    """Scale both so that their joint norm is at most the limit (eq-clip)."""
    factor = min(1.0, limit / norm(dW, db)) if norm(dW, db) > 0 else 1.0
    return factor * dW, factor * db


def _draw(rng, size):
    dW, db = rng.normal(size=(3, 3)), rng.normal(size=3)
    limit = float(rng.uniform(0.5, 5))
    factor = size * limit / norm(dW, db)
    return factor * dW, factor * db, limit


def draw_long(rng):
    """Gradients that are too long together, and either of them alone may not be."""
    return _draw(rng, rng.uniform(1.05, 4))


def draw_any(rng):
    """Gradients that need no clipping, or do: what comes back as it was is not enough."""
    return _draw(rng, rng.uniform(0.2, 0.95)) if rng.random() < 0.5 else draw_long(rng)


def plot(axes, function):
    """Draw the norm after clipping against the norm before."""
    dW, db = np.array([[0.6, -0.3]]), np.array([0.2])
    sizes = np.linspace(0.1, 3, 40)
    clipped = [function(size * dW, size * db, 1.0) for size in sizes]
    after = [norm(*(np.asarray(part, dtype=float) for part in pair)) for pair in clipped]
    axes.plot(sizes * norm(dW, db), after)
    axes.set(xlabel="norm before", ylabel="norm after", title="clip_gradients(…, limit=1)")


def _each(function):
    return lambda dW, db, limit: (function(dW, limit), function(db, limit))


def _scaled(factor):
    return lambda dW, db, limit: tuple(factor(norm(dW, db), limit) * part for part in (dW, db))


def _by_length(length):
    return lambda dW, db, limit: tuple(min(1, limit / length(dW, db)) * part for part in (dW, db))


MISCONCEPTIONS = (
    Misconception(
        "every entry on its own",
        "You cut every entry at the limit. That changes the direction of the gradient; clipping by the norm "
        "only shortens it.",
        (_each(lambda part, limit: np.clip(part, -limit, limit)),),
    ),
    Misconception(
        "each array on its own",
        "You clip the two gradients one by one. They are one vector: one norm over all their entries, and "
        "one factor for both.",
        (_each(lambda part, limit: part * min(1, limit / np.linalg.norm(part))),),
    ),
    Misconception(
        "short gradients made longer",
        "You scale short gradients up to the limit. Clipping shortens what is too long and leaves the rest "
        "as it is.",
        (_scaled(lambda size, limit: limit / size),),
    ),
    Misconception(
        "squared norm",
        "You divide by the squared norm: take the root before you compare and divide.",
        (
            _scaled(lambda size, limit: min(1, limit / size**2)),
            _scaled(lambda size, limit: limit / size**2 if size > limit else 1),
        ),
    ),
    Misconception(
        "scaled to length one",
        "Your gradients end with length 1. They should end with the length `limit`.",
        (
            _scaled(lambda size, limit: 1 / size if size > limit else 1),
            _scaled(lambda size, limit: min(1, 1 / size)),
        ),
    ),
    Misconception(
        "thrown away",
        "You set gradients that are too long to zero. Their direction is worth having: keep it and shorten.",
        (_scaled(lambda size, limit: 0 if size > limit else 1),),
    ),
    Misconception(
        "never clipped",
        "You return the gradients as they came. Are the two compared with the limit together?",
        (lambda dW, db, limit: (dW, db),),
    ),
    Misconception(
        "sum of the two norms",
        "Norms of parts do not add: the joint norm is the root of the sum of all squares.",
        (
            lambda dW, db, limit: tuple(
                min(1, limit / (np.linalg.norm(dW) + np.linalg.norm(db))) * part for part in (dW, db)
            ),
        ),
    ),
    Misconception(
        "only one of the two",
        "You shorten one of the arrays and leave the other as it was. Both get the same factor.",
        (
            lambda dW, db, limit: (reference(dW, db, limit)[0], db),
            lambda dW, db, limit: (dW, reference(dW, db, limit)[1]),
        ),
    ),
    Misconception(
        "the length of one array for both",
        "You measure one of the two arrays. The length is that of all entries of both together.",
        (
            _by_length(lambda dW, db: np.linalg.norm(dW)),
            _by_length(lambda dW, db: np.linalg.norm(db)),
        ),
    ),
    Misconception(
        "another length",
        "You measure by magnitudes, by the largest entry or by a norm for matrices. The length of a vector "
        "is the root of the sum of the squares of all entries.",
        (
            _by_length(lambda dW, db: np.abs(dW).sum() + np.abs(db).sum()),
            _by_length(lambda dW, db: max(np.abs(dW).max(), np.abs(db).max())),
            _by_length(lambda dW, db: np.hypot(np.linalg.norm(dW, 2), np.linalg.norm(db))),
        ),
    ),
    Misconception(
        "factor upside down",
        "Your factor is upside down: what is twice too long has to be multiplied by one half.",
        (_scaled(lambda size, limit: size / limit if size > limit else 1),),
    ),
    Misconception(
        "nothing returned if short",
        "Where the gradients are short enough you return nothing. Return them as they are.",
        (lambda dW, db, limit: reference(dW, db, limit) if norm(dW, db) > limit else None,),
    ),
)

ITEM = Item(
    name="clip_gradients",
    signature="clip_gradients(dW, db, limit)",
    title="Clipping",
    parts=(Part("dW", "gradient"), Part("db", "gradient")),
    reference=reference,
    questions=(
        Question("gradients that are too long", 1, draw_long),
        Question("gradients of all lengths", 1, draw_any, repeats=8),
    ),
    misconceptions=MISCONCEPTIONS,
    hints=(
        "Put all entries of both arrays into one long vector. How long is it, and by which factor must it be "
        "shortened?",
        "size = root of the sum of all squares of both arrays; factor = limit / size if that is below 1, "
        "else 1; both arrays times the factor.",
        "The expected curve is the diagonal up to a norm of 1 and flat from there on.",
    ),
    plot=plot,
)
