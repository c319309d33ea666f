"""Set 5: a second right answer to every item, and a learner's code for every mistake it knows."""

CHRONO = "def chrono_biases(u, longest):\n    b = {b}\n    return {result}"
EXPLOSION = """
def first_explosion(norms, window, factor):
    found = []
    for t in range(len(norms)):
        before = {before}
        if {finite}:
            found.append(t)
        elif {ready} and norms[t] > factor * {usual}(before):
            found.append(t)
    return {result}
"""
DIAGNOSE = """
def diagnose(training, validation, norms):
    explodes = {explodes}
    vanishes = {vanishes}
    overfits = {overfits}
    slow = training[0] * 0.8 < training[-1]
    for word in {order}:
        if dict(exploding=explodes, vanishing=vanishes, overfitting=overfits, slow=slow)[word]:
            return {words}.get(word, word)
    return {healthy}
"""
STOP = """
def stop_early(validation, patience):
    lowest, best = np.inf, 0
    for t, loss in enumerate(validation):
        if loss {better} {lowest}:
            lowest, best = loss, t
        if t - best {out}:
            return {result}
    return {through}
"""
RATE = """
def choose_rate(rates, losses):
    scores = []
    for runs in losses:
        score = {score}
        scores.append({kept})
    k = {pick}
    return {result}
"""
REPAIRED = """
def repaired(inputs, targets, new_inputs, seed):
    import torch

    torch.manual_seed(seed)
    gru, readout = torch.nn.GRU(2, 12, batch_first=True), torch.nn.Linear(12, 1)
    with torch.no_grad():
        gru.bias_ih_l0[12:24] += {bias}
    parameters = [*gru.parameters(), *readout.parameters()]
    adam = torch.optim.Adam(parameters, lr={rate})
    x, y, new = (torch.tensor(a).float() for a in (inputs, targets, new_inputs))
    for step in range({steps}):
        some = torch.randint(len(x), (32,))
        adam.zero_grad()
        loss = ((readout(gru(x[some])[1][0])[:, 0] - y[some]) ** 2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
    return {result}
"""
OVERFITTING_FIRST = "('overfitting', 'exploding', 'vanishing', 'slow')"


def chrono(**changes):
    """A right answer to `chrono_biases`, with some pieces changed."""
    pieces = dict(b="np.log(1 + u * (longest - 2))", result="np.hstack([-b, b, np.zeros(2 * len(u))])")
    return CHRONO.format(**{**pieces, **changes})


def explosion(**changes):
    """A right answer to `first_explosion`, with some pieces changed."""
    pieces = dict(before="norms[max(t - window, 0) : t]", finite="not np.isfinite(norms[t])")
    pieces |= dict(ready="t >= window", usual="np.median", result="found[0] if found else -1")
    return EXPLOSION.format(**{**pieces, **changes})


def diagnose(**changes):
    """A right answer to `diagnose`, with some pieces changed."""
    pieces = dict(explodes="not all(np.isfinite(norms)) or max(norms) / np.median(norms) > 50")
    pieces |= dict(vanishes="max(norms) < 0.001", overfits="validation[-1] / min(validation) > 1.3")
    pieces |= dict(order="('exploding', 'vanishing', 'overfitting', 'slow')", healthy="'healthy'")
    return DIAGNOSE.format(**{**pieces, "words": "dict(slow='too slow')", **changes})


def stop(**changes):
    """A right answer to `stop_early`, with some pieces changed."""
    pieces = dict(better="<", lowest="lowest", out=">= patience", result="best, t")
    return STOP.format(**{**pieces, "through": "best, len(validation) - 1", **changes})


def rate(**changes):
    """A right answer to `choose_rate`, with some pieces changed."""
    pieces = dict(score="np.mean(runs[:, -10:])", kept="score if np.all(np.isfinite(runs)) else np.inf")
    return RATE.format(**{**pieces, "pick": "int(np.argmin(scores))", "result": "float(rates[k])", **changes})


def repaired(**changes):
    """A right answer to `repaired`, with some pieces changed."""
    pieces = dict(bias="3.0", rate="0.01", steps="300")
    return REPAIRED.format(
        **{**pieces, "result": "readout(gru(new)[1][0])[:, 0].detach().numpy()", **changes}
    )


RIGHT = {
    "chrono_biases": chrono(),
    "first_explosion": explosion(),
    "diagnose": diagnose(),
    "stop_early": stop(),
    "choose_rate": rate(),
    "repaired": repaired(),
}

# (item, the mistake that must be recognised, points that are earned all the same, the learner's code)
WRONG = [
    ("chrono_biases", "input gate not biased", 0, chrono(result="np.hstack([0 * b, b, 0 * b, 0 * b])")),
    ("chrono_biases", "both gates biased alike", 0, chrono(result="np.hstack([b, b, 0 * b, 0 * b])")),
    ("chrono_biases", "signs exchanged", 0, chrono(result="np.hstack([b, -b, 0 * b, 0 * b])")),
    ("chrono_biases", "blocks in another order", 0, chrono(result="np.hstack([-b, 0 * b, b, 0 * b])")),
    ("chrono_biases", "logarithm of the whole range", 0, chrono(b="np.log(1 + u * (longest - 1))")),
    ("chrono_biases", "logarithms drawn evenly", 0, chrono(b="u * np.log(longest - 1)")),
    ("chrono_biases", "logarithm forgotten", 0, chrono(b="1 + u * (longest - 2)")),
    ("chrono_biases", "forget biases only", 0, chrono(result="b")),
    ("first_explosion", "NaN not noticed", 2, explosion(finite="False")),
    ("first_explosion", "mean instead of median", 1, explosion(usual="np.mean")),
    ("first_explosion", "judged before there is a window", 0, explosion(ready="t > 0")),
    ("first_explosion", "compared with the whole run", 0,
     "def first_explosion(norms, window, factor):\n"
     "    usual = np.nanmedian(norms)\n"
     "    found = [t for t, n in enumerate(norms) if not np.isfinite(n) or n > factor * usual]\n"
     "    return found[0] if found else -1"),
    ("first_explosion", "the last instead of the first", 0, explosion(result="found[-1] if found else -1")),
    ("first_explosion", "no explosion said in another way", 2,
     explosion(result="found[0] if found else None")),
    ("first_explosion", "noticed too late", 1, explosion(usual="np.max")),
    ("diagnose", "NaN not noticed", 2, diagnose(explodes="max(norms) / np.median(norms) > 50")),
    ("diagnose", "only NaN taken for an explosion", 2, diagnose(explodes="not all(np.isfinite(norms))")),
    ("diagnose", "validation before explosion", 2, diagnose(order=OVERFITTING_FIRST)),
    ("diagnose", "slow taken for vanished", 2, diagnose(vanishes="False")),
    ("diagnose", "slow taken for vanished", 2, diagnose(words="dict(slow='vanishing')")),
    ("diagnose", "overfitting not looked for", 2, diagnose(overfits="False")),
    ("diagnose", "exploding once too often", 0, "def diagnose(*log):\n    return 'exploding'"),
    ("diagnose", "vanishing once too often", 0, "def diagnose(*log):\n    return 'vanishing'"),
    ("diagnose", "overfitting once too often", 0, "def diagnose(*log):\n    return 'overfitting'"),
    ("diagnose", "too slow once too often", 0, "def diagnose(*log):\n    return 'too slow'"),
    ("diagnose", "healthy once too often", 0, "def diagnose(*log):\n    return 'healthy'"),
    ("diagnose", "other words", 0,
     diagnose(words="dict(slow='slow', vanishing='vanished')", healthy="'fine'")),
    ("stop_early", "the best of the whole run", 1, stop(result="int(np.argmin(validation)), t")),
    ("stop_early", "the step of stopping kept", 1, stop(result="t, t")),
    ("stop_early", "as good taken for better", 1, stop(better="<=")),
    ("stop_early", "one step too patient or too hasty", 1, stop(out="> patience")),
    ("stop_early", "compared with the step before", 1,
     "def stop_early(validation, patience):\n"
     "    worse = 0\n"
     "    for t in range(1, len(validation)):\n"
     "        worse = worse + 1 if validation[t] > validation[t - 1] else 0\n"
     "        if worse >= patience:\n"
     "            break\n"
     "    return int(np.argmin(validation[: t + 1])), t"),
    ("stop_early", "losses instead of steps", 0,
     stop(result="lowest, loss", through="lowest, loss")),
    ("stop_early", "the other way round", 0, stop(result="t, best", through="t, best")),
    ("stop_early", "counted from one", 0, stop(result="best + 1, t + 1", through="best + 1, t + 1")),
    ("stop_early", "no answer when patience lasts", 1, stop(through="None")),
    ("choose_rate", "NaN chosen", 0, rate(kept="score")),
    ("choose_rate", "blown-up runs overlooked", 0, rate(score="np.nanmean(runs[:, -10:])", kept="score")),
    ("choose_rate", "the luckiest seed", 0, rate(score="np.min(np.mean(runs[:, -10:], axis=1))")),
    ("choose_rate", "the lowest dip", 0, rate(score="np.mean(np.min(runs[:, -10:], axis=1))")),
    ("choose_rate", "mean over the whole run", 0, rate(score="np.mean(runs)")),
    ("choose_rate", "the worst rate", 0,
     rate(kept="score if np.all(np.isfinite(runs)) else -1", pick="int(np.argmax(scores))")),
    ("choose_rate", "index instead of rate", 0, rate(result="k")),
    ("choose_rate", "loss instead of rate", 0, rate(result="scores[k]")),
    ("repaired", "blown up", 0, "def repaired(inputs, targets, new_inputs, seed):\n"
                                "    return np.full(len(new_inputs), np.nan)"),
    ("repaired", "nothing remembered", 0, repaired(steps="3")),
    ("repaired", "answers in a wrong order", 0, repaired(
        result="readout(gru(new)[1][0])[:, 0].detach().numpy()[::-1].copy()")),
    ("repaired", "steps too large", 0, repaired(steps="30", rate="3.0")),
    ("repaired", "stopped too early", 2, repaired(
        result="0.6 * readout(gru(new)[1][0])[:, 0].detach().numpy()")),
    ("chrono_biases", "candidate and output gate biased too", 0, chrono(result="np.hstack([-b, b, b, b])")),
    ("chrono_biases", "another arrangement", 0, chrono(result="np.stack([-b, b, 0 * b, 0 * b])")),
    ("chrono_biases", "another arrangement", 0, chrono(result="np.hstack([-b, b])")),
    ("chrono_biases", "log10 instead of ln", 0,
     chrono(result="np.hstack([-b, b, 0 * b, 0 * b]) / np.log(10)")),
    ("chrono_biases", "all units alike", 0,
     chrono(b="np.log(longest - 1) + 0 * u", result="np.hstack([-b, b, 0 * b, 0 * b])")),
    ("chrono_biases", "u drawn anew", 0,
     chrono(b="np.log(1 + np.random.default_rng(0).random(len(u)) * (longest - 2))",
            result="np.hstack([-b, b, 0 * b, 0 * b])")),
    ("first_explosion", "noticed too late", 1, explosion(ready="False")),
    ("first_explosion", "always −1", 0, "def first_explosion(norms, window, factor):\n    return -1"),
    ("first_explosion", "smallest of the window", 1, explosion(usual="np.min")),
    ("first_explosion", "compared with the step before", 2,
     "def first_explosion(norms, window, factor):\n"
     "    for t in range(1, len(norms)):\n"
     "        if not np.isfinite(norms[t]) or (t >= window and norms[t] > factor * norms[t - 1]):\n"
     "            return t\n"
     "    return -1"),
    ("first_explosion", "the first window for good", 1, explosion(before="norms[:window]")),
    ("first_explosion", "counted from one", 0, explosion(result="found[0] + 1 if found else -1")),
    ("first_explosion", "norm instead of step", 0, explosion(result="norms[found[0]] if found else -1")),
    ("first_explosion", "nothing found is an error", 2, explosion(result="found[0]")),
    ("choose_rate", "index among the safe ones", 0,
     "def choose_rate(rates, losses):\n"
     "    kept = losses[np.isfinite(losses).all(axis=(1, 2))]\n"
     "    return rates[kept[:, :, -10:].mean(axis=(1, 2)).argmin()]"),
    ("choose_rate", "no loss looked at", 0,
     "def choose_rate(rates, losses):\n    return rates[np.isfinite(losses).all(axis=(1, 2))][-1]"),
    ("choose_rate", "an array instead of a number", 0, rate(result="rates[[k]]")),
    ("repaired", "read off instead of recalled", 0,
     "def repaired(inputs, targets, new_inputs, seed):\n    return new_inputs[:, 0, 0]"),
    ("repaired", "read off instead of recalled", 0,
     "def repaired(inputs, targets, new_inputs, seed):\n"
     "    weights, *_ = np.linalg.lstsq(inputs[:, :, 0], targets, rcond=None)\n"
     "    return new_inputs[:, :, 0] @ weights"),
    ("first_explosion", "only one of NaN and infinity, or too late", 2,
     explosion(finite="np.isnan(norms[t])")),
    ("first_explosion", "only one of NaN and infinity, or too late", 2,
     explosion(finite="t >= window and not np.isfinite(norms[t])")),
]  # fmt: skip
DRAWS = 25

HALF_DONE = (
    [
        chrono(result="np.hstack([0 * b, b, 0 * b, 0 * b])"),
        explosion(finite="False"),
        diagnose(overfits="False"),
        stop(result="t, t"),
        repaired(result="0.6 * readout(gru(new)[1][0])[:, 0].detach().numpy()"),
    ],
    {
        "chrono_biases": 0,
        "first_explosion": 2,
        "diagnose": 2,
        "stop_early": 1,
        "choose_rate": 0,
        "repaired": 2,
    },
)
