"""Pictures of a network and its training: curves, the decision boundary, weights, activations, gradients, mistakes.

matplotlib draws, and is imported on first use. Every function draws on the axes given as ``ax=``, or else on a new
figure, and returns the axes: ``curves(history).figure.savefig("loss.png")``.

A new figure is pyplot's if pyplot is in use, that is, after ``import matplotlib.pyplot as plt`` and in notebooks. Then
``plt.savefig``, ``plt.show`` and ``plt.close`` reach it, and it stays open until it is closed. In programs without
pyplot a figure is independent: it need not be closed, and threads can draw at the same time.

`nn.Frames` calls these functions while a network learns. The numbers behind them are those of `nn.inspection`.

Colours are those of the drawings of graphs: blue is negative, orange positive.
"""

import typing as _typing

from nn.plots.boundary import decision_boundary as decision_boundary
from nn.plots.classes import (
    class_figures as class_figures,
    confusion_matrix as confusion_matrix,
    prediction_bars as prediction_bars,
    worst_samples as worst_samples,
)
from nn.plots.history import curves as curves
from nn.plots.layers import (
    activation_histograms as activation_histograms,
    gradient_histograms as gradient_histograms,
    idle_units as idle_units,
    weight_images as weight_images,
)

if not _typing.TYPE_CHECKING:  # type checkers see every public name anyway
    __all__ = sorted(name for name, x in globals().items() if name[0] != "_" and not isinstance(x, type(_typing)))

    def __dir__():
        return sorted(__all__)
