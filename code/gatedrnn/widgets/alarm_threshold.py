"""When to raise the alarm: a threshold over many discharges at once."""

import dataclasses
import functools

import numpy as np
import traitlets

from gatedrnn.datasets import Discharges, simulate_density_limit
from gatedrnn.decoders import alarms
from gatedrnn.widgets.base import LiveFigure

SEED = 5
LIMITED, QUIET = 12, 28
BUSY = 0.5  # Greenwald fraction that a quiet discharge reaches to be shown
SAMPLE = 2  # rows of a sample: the sensors are read every 20 ms
STEP = 0.01 * SAMPLE
RELEASE = 0.9
LEVELS = np.arange(30, 151, 2) / 100  # thresholds of the curve


class AlarmThreshold(LiveFigure):
    """Simulated discharges, of which some reach the density limit, and an alarm on their Greenwald fraction.

    Parameters
    ----------
    threshold : float
        Greenwald fraction at which the alarm's clock starts, from 0.3 to 1.5.
    duration : int
        Samples of 20 ms for which it must run, from 1 to 12.
    missed : int
        Cost of a disruption that came without warning, in false alarms, from 1 to 50.
    shots : list of dict
        ``scores``, hundredths of the Greenwald fraction, and ``onset``, the first sample of the
        density-limit phase or −1.

    Examples
    --------
    >>> sorted(AlarmThreshold().outcome())
    ['caught', 'cost', 'false', 'missed', 'warning']
    """

    view = "alarm_threshold.js"
    room = traitlets.List(traitlets.Int(), default_value=[541, 982]).tag(sync=True)

    threshold = traitlets.Float(0.75, min=0.3, max=1.5).tag(sync=True)
    duration = traitlets.Int(2, min=1, max=12).tag(sync=True)
    missed = traitlets.Int(10, min=1, max=50).tag(sync=True)
    shots = traitlets.List().tag(sync=True)
    clock = traitlets.Dict(
        {"step": STEP, "deadline": alarms.DEADLINE, "earliest": alarms.EARLIEST, "release": RELEASE},
        read_only=True,
    ).tag(sync=True)
    alt = traitlets.Unicode(
        "Left, the Greenwald fraction of forty simulated discharges against the time before each ends, "
        "twelve of them ending at the density limit, with a line at the threshold that can be dragged and a "
        "dot where each alarm is raised. Right, what the alarm costs against its threshold: high thresholds "
        "miss disruptions, low ones raise false alarms, and the cheapest lies between; it moves down as a "
        "missed disruption costs more."
    ).tag(sync=True)

    def __init__(self, **numbers):
        if "shots" not in numbers:
            numbers["shots"] = _shots(chosen())
        super().__init__(**numbers)

    def outcome(self, threshold: float | None = None) -> dict:
        """Return warning times (s), numbers of caught, missed and false, and the mean cost of a discharge."""
        verdicts = self._verdicts(threshold or self.threshold)
        return {
            "caught": int(verdicts.caught.sum()),
            "missed": int(verdicts.missed.sum()),
            "false": int(verdicts.false.sum()),
            "warning": verdicts.warning,
            "cost": float(alarms.cost(verdicts, self.missed)),
        }

    def prices(self) -> np.ndarray:
        """Return the mean cost of a discharge at every threshold of the curve."""
        return alarms.cost(self._verdicts(LEVELS[:, np.newaxis]), self.missed)

    def numbers(self) -> dict[str, float]:
        """Return caught, false, middle warning (s; left out if none is caught), cost and best threshold."""
        outcome = self.outcome()
        warnings = np.sort(outcome["warning"][np.isfinite(outcome["warning"])])
        middle = {"warning": float(warnings[(len(warnings) - 1) // 2])} if len(warnings) else {}
        return {
            "caught": outcome["caught"],
            "false": outcome["false"],
            **middle,
            "cost": outcome["cost"],
            "best": float(LEVELS[self.prices().argmin()]),
        }

    def _verdicts(self, threshold) -> alarms.Verdicts:
        """What becomes of every discharge at one threshold, or at an array (n, 1) of them."""
        lengths = [len(shot["scores"]) for shot in self.shots]
        scores = np.full((max(lengths), len(lengths)), np.nan)
        for column, shot in enumerate(self.shots):
            scores[: lengths[column], column] = np.array(shot["scores"]) / 100
        raised = alarms.first_alarms(scores, alarms.Alarm(threshold, self.duration, RELEASE))
        return alarms.judge(self._discharges(), raised)

    def _discharges(self) -> Discharges:
        """Times and phases of the shots as a table; nothing else of them is needed to judge."""
        lengths = np.array([len(shot["scores"]) for shot in self.shots])
        starts = np.cumsum(lengths) - lengths
        sample = np.arange(lengths.sum()) - np.repeat(starts, lengths)
        onset = np.repeat([shot["onset"] for shot in self.shots], lengths)
        template = chosen()
        empty = np.zeros(len(sample))
        columns = {name: empty for name in template.units}
        columns["time"] = sample * STEP
        columns["density_limit_phase"] = ((onset >= 0) & (sample >= onset)).astype(int)
        return dataclasses.replace(template, **columns, starts=starts)

    def picture(self):
        """Return traces and cost as a matplotlib figure."""
        from matplotlib import pyplot

        from gatedrnn import figures

        figure, (traces, price) = pyplot.subplots(1, 2, figsize=figures.size(1, 0.42))
        for shot in self.shots:
            scores = np.array(shot["scores"]) / 100
            before = (np.arange(len(scores)) - len(scores) + 1) * STEP
            limited = shot["onset"] >= 0
            look = {
                "color": figures.PALETTE["vermilion" if limited else "blue"],
                "lw": 1.0 if limited else 0.6,
            }
            traces.plot(before, scores, "-" if limited else ":", **look)
        traces.axhline(self.threshold, color=figures.INK, ls="--", lw=1)
        traces.set(
            xlabel="time before the end (s)", ylabel="Greenwald fraction", xlim=(-1.0, 0), ylim=(0, 1.8)
        )
        price.plot(LEVELS, self.prices(), "-", color=figures.PALETTE["green"])
        price.axvline(self.threshold, color=figures.INK, ls="--", lw=1)
        price.set(xlabel="threshold", ylabel="cost of a discharge (false alarms)", ylim=(0, None))
        return figure


@functools.cache
def chosen() -> Discharges:
    """The discharges of the figure: the first that reach the limit, and the first busy quiet ones."""
    whole = simulate_density_limit(seed=SEED, n_discharges=400)
    peak = np.maximum.reduceat(whole.greenwald_fraction, whole.starts)
    limited = np.flatnonzero(whole.limited)[:LIMITED]
    quiet = np.flatnonzero(~whole.limited & (peak > BUSY))[:QUIET]
    return whole.select([*limited, *quiet])


def _shots(discharges: Discharges) -> list[dict]:
    """Samples of every discharge, in hundredths, and the sample in which its phase begins."""
    shots = []
    for first, last in zip(discharges.starts, discharges.stops, strict=True):
        scores = np.round(100 * discharges.greenwald_fraction[first:last:SAMPLE]).astype(int)
        phase = discharges.density_limit_phase[first:last:SAMPLE]
        shots.append({"scores": scores.tolist(), "onset": int(phase.argmax()) if phase.any() else -1})
    return shots
