"""Shows the gradient noise of a model and suggests clipping thresholds.

`report(sample(model, x, y, batch_size=32))` is what most need: print it, and
take its last line. `sample` takes the gradients of mini-batches at fixed
weights, `report` makes estimates, verdict and thresholds of them, and
`plot_report`, `plot_evolution` and `plot_grid` draw reports. The estimators,
`hill`, `log_moment`, `kurtosis`, `fit_squared_gaussians` and
`fit_squared_stables`, take arrays of any origin.
"""

from keras_clip.noise.hill import hill
from keras_clip.noise.hill_curve import HillCurve
from keras_clip.noise.hill_curve import hill_curve
from keras_clip.noise.kurtosis import kurtosis
from keras_clip.noise.log_moment import log_moment
from keras_clip.noise.noise_report import NoiseReport
from keras_clip.noise.noise_samples import NoiseSamples
from keras_clip.noise.plots import plot_evolution
from keras_clip.noise.plots import plot_grid
from keras_clip.noise.plots import plot_report
from keras_clip.noise.recommendation import Recommendation
from keras_clip.noise.reporting import report
from keras_clip.noise.sampling import sample
from keras_clip.noise.squared_sum import SquaredSum
from keras_clip.noise.squared_sum_fits import fit_squared_gaussians
from keras_clip.noise.squared_sum_fits import fit_squared_stables
from keras_clip.noise.suggestion import Suggestion
from keras_clip.noise.suggestions import suggest
from keras_clip.noise.tail_index import TailIndex
from keras_clip.noise.variance_curve import VarianceCurve
from keras_clip.noise.variance_curve import variance_curve

__all__ = [
    "HillCurve",
    "NoiseReport",
    "NoiseSamples",
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
    "report",
    "sample",
    "suggest",
    "variance_curve",
]
