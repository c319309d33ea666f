"""Z-scores whose means and scales come from the training set alone."""

from typing import NamedTuple

import numpy as np


class Scaling(NamedTuple):
    """Mean and standard deviation of every column of a training set."""

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> "Scaling":
        """Measure a training set, (n_bins, n_columns). A column that never changes keeps its unit."""
        scale = values.std(axis=0)
        return cls(values.mean(axis=0), np.where(scale > 0, scale, 1.0))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Values in standard deviations from the mean of the training set."""
        return (values - self.mean) / self.scale

    def back(self, scores: np.ndarray) -> np.ndarray:
        """Undo the call."""
        return scores * self.scale + self.mean


def check_cells(spikes: np.ndarray, scaling: Scaling | None) -> None:
    """Say in words that a decoder is not fitted, or that a recording has other cells."""
    if scaling is None:
        raise ValueError("this decoder has not been fitted yet: call fit(recording) first.")
    if spikes.shape[-1] != len(scaling.mean):
        raise ValueError(
            f"this decoder was fitted to {len(scaling.mean)} cells, got {spikes.shape[-1]}: decode the same "
            "cells, in the same order."
        )
