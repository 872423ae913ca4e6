"""Defines the weighted sum of terms that a learner learns by, and its running means."""

from collections.abc import Sequence

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.anchor_weights import anchor_weights
from nfl_keras.models.class_labels import label_positions
from nfl_keras.models.classifier import Classifier
from nfl_keras.models.labels_seen import LabelsSeen
from nfl_keras.models.outputs import Outputs
from nfl_keras.models.term import Measure, Term
from nfl_keras.typing import ModelMixin, Tensor


class Objective(ModelMixin):
    """A mixin with the objective: the sum of the terms' means over anchors, by their weights."""

    # PyTorch would find a value of the class before the module that is set on the model.
    classifier: Classifier | None
    labels_seen: LabelsSeen | None = None

    def set_terms(self, terms: Sequence[Term], measures: Sequence[Measure]) -> None:
        """Sets what is learned, and what is reported beside it.

        Args:
            terms: sequence of `Term`. Those with a weight of 0 are left out.
            measures: sequence of `Measure`.

        Raises:
            UserError: if there is nothing to learn.
        """
        self.terms = tuple(term for term in terms if term.weight)
        self.measures = tuple(measures)
        if not self.terms:
            raise UserError("a learner needs a term with a weight above 0, or it learns nothing.")
        self.term_trackers = [keras.metrics.Mean(name=q.name) for q in self._quantities()]

    def objective(
        self, outputs: Outputs, sample_weight: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Computes the loss, and the mean of each term and measure.

        Args:
            outputs: `Outputs`.
            sample_weight: float `[B]`, a weight per anchor, or `None`.

        Returns:
            `(loss, means)`. The loss, a float32 scalar, is the weighted sum of the terms plus the
            penalty. `means` has a float32 scalar per term, then one per measure.
        """
        means = []
        for quantity in self._quantities():
            values = quantity.values(outputs)
            if quantity.anchors is not None:
                values = values * anchor_weights(quantity.anchors(outputs.labels))
            if sample_weight is not None:
                values = values * ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
            means.append(ops.mean(values))
        learned = zip(self.terms, means, strict=False)
        loss = sum((term.weight * mean for term, mean in learned), start=outputs.penalty)
        return loss, means

    def track(
        self,
        outputs: Outputs,
        loss: Tensor,
        means: Sequence[Tensor],
        sample_weight: Tensor | None,
        size: Tensor,
    ) -> dict[str, Tensor]:
        """Adds a batch to the running means and to the metrics of `compile`.

        Args:
            outputs: `Outputs` of the batch.
            loss: float32 scalar.
            means: float32 scalars, see `objective`.
            sample_weight: float `[B]`, or `None`.
            size: int or int32 scalar, the number of images by which the means are weighted.

        Returns:
            Dict of name to the running value, which `fit` reports.
        """
        self._loss_tracker.update_state(loss, sample_weight=size)
        self.track_terms(outputs.labels, means, size)
        return self.compute_metrics(None, outputs.labels, outputs.clean, sample_weight)

    def track_terms(self, labels: Tensor, means: Sequence[Tensor], size: Tensor) -> None:
        """Adds the means over `size` images to the running means, and labels to those seen."""
        if self.labels_seen is not None:
            class_labels = self.labels_seen.class_labels
            known = label_positions(labels, class_labels) < len(class_labels)
            self.labels_seen.update_state(labels, known)
        for tracker, mean in zip(self.term_trackers, means, strict=True):
            tracker.update_state(mean, sample_weight=size)

    def compute_metrics(
        self, x: Tensor, y: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        return super().compute_metrics(x, ops.reshape(y, (-1,)), y_pred, sample_weight)

    def _quantities(self) -> tuple[Term | Measure, ...]:
        return (*self.terms, *self.measures)
