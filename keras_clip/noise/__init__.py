"""Measures the gradient noise of a model and suggests clipping thresholds.

Most users need `report(sample(model, x, y, batch_size=32))`: print it, and use
the code in its last line. `sample` computes gradients of mini-batches at fixed
weights, `report` estimates how heavy-tailed they are and suggests thresholds,
and `plot_report`, `plot_evolution` and `plot_grid` draw reports. The estimators
`hill`, `log_moment`, `kurtosis`, `quartile_ratios`, `fit_squared_gaussians` and
`fit_squared_stables` also take arrays from elsewhere.
"""

from keras_clip.noise.estimators.hill import hill
from keras_clip.noise.estimators.hill_curve import HillCurve
from keras_clip.noise.estimators.hill_curve import hill_curve
from keras_clip.noise.estimators.kurtosis import kurtosis
from keras_clip.noise.estimators.log_moment import log_moment
from keras_clip.noise.estimators.quartile_ratios import QuartileRatios
from keras_clip.noise.estimators.quartile_ratios import quartile_ratios
from keras_clip.noise.estimators.squared_sum import SquaredSum
from keras_clip.noise.estimators.squared_sum_fits import fit_squared_gaussians
from keras_clip.noise.estimators.squared_sum_fits import fit_squared_stables
from keras_clip.noise.estimators.tail_index import TailIndex
from keras_clip.noise.estimators.variance_curve import VarianceCurve
from keras_clip.noise.estimators.variance_curve import variance_curve
from keras_clip.noise.reports.noise_report import NoiseReport
from keras_clip.noise.reports.plots import plot_evolution
from keras_clip.noise.reports.plots import plot_grid
from keras_clip.noise.reports.plots import plot_report
from keras_clip.noise.reports.recommendation import Recommendation
from keras_clip.noise.reports.report import report
from keras_clip.noise.reports.suggest import suggest
from keras_clip.noise.reports.suggestion import Suggestion
from keras_clip.noise.sampling.noise_samples import NoiseSamples
from keras_clip.noise.sampling.sample import sample

__all__ = [
    "HillCurve",
    "NoiseReport",
    "NoiseSamples",
    "QuartileRatios",
    "Recommendation",
    "SquaredSum",
    "Suggestion",
    "TailIndex",
    "VarianceCurve",
    "fit_squared_gaussians",
    "fit_squared_stables",
    "hill",
    "hill_curve",
    "kurtosis",
    "log_moment",
    "plot_evolution",
    "plot_grid",
    "plot_report",
    "quartile_ratios",
    "report",
    "sample",
    "suggest",
    "variance_curve",
]
