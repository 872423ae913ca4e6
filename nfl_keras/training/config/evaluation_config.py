"""Settings of what a run measures, when, and on which photographs."""

import dataclasses
from typing import Literal

from nfl_keras.errors import UserError
from nfl_keras.training.config.ranges import check_at_least


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
    """Settings of what a run measures, when, and on which photographs.

    Args:
        evaluate_on: Photographs that give the run's figures: "test", or "validation", which leaves
            the test photographs alone so that settings can be chosen. Validation uses the
            validation_classes; without them the dataset's own validation split; without one a
            quarter of the training split (of its classes under zero-shot, of its photographs under
            fine-grained).
        validation_classes: Number of training classes to hold out. The run measures its epochs on
            them and chooses the best epoch by them; give 2 or more. With 0, it measures epochs on
            the test queries.
        ks: The k of Recall@k, mAP@k and precision@k, 1 among them.
        crops: Crops per photograph in the final evaluation.
        evaluate_every: Epochs between evaluations during training, with one crop. 0 for none.
        final_epoch: Epoch whose figures the run reports: the "last", or the "best" by mAP. The best
            one's figures are a test result only with validation_classes.
        blend: Share of the weights after training in the embedder that the run reports and saves;
            the rest is of the weights that it began with. "auto" chooses the share on photographs
            that it holds out as evaluate_on validation does, and prefers shares that are not below
            the frozen backbone.
        refit: Choose the number of epochs, the blend if it is auto, and the learning rate of
            refit_rates on the photographs of evaluate_on validation; then train anew on all
            training photographs by what was chosen, and measure on the test.
        refit_rates: Learning rates that refit chooses from. Defaults to learning_rate alone.
        early_stopping_epochs: Stop after this many epochs without a better mAP. 0 never stops
            early.
        rerank: A re-ranking whose figures stand beside the plain ones, such as
            "k-reciprocal:k1=20,k2=6,weight=0.3" or "alpha-expansion:n=2,alpha=1". It takes part in
            no choice. Defaults to none.
    """

    evaluate_on: Literal["test", "validation"] = "test"
    validation_classes: int = 0
    ks: list[int] = dataclasses.field(default_factory=lambda: [1, 2, 4, 8])
    crops: Literal[1, 3] = 1
    evaluate_every: int = 1
    final_epoch: Literal["last", "best"] = "last"
    blend: float | Literal["auto"] = 1.0
    refit: bool = False
    refit_rates: list[float] = dataclasses.field(default_factory=list)
    early_stopping_epochs: int = 0
    rerank: str | None = None

    def __post_init__(self) -> None:
        check_at_least(self, 0, "validation_classes", "evaluate_every", "early_stopping_epochs")
        if 1 not in self.ks or min(self.ks) < 1:
            raise UserError(f"ks must be 1 or more, and 1 among them, not {self.ks}.")
        if self.blend != "auto" and not 0 <= self.blend <= 1:
            raise UserError(f"blend must be auto or in 0..1, not {self.blend}.")
        if self.final_epoch == "best" and not self.evaluate_every:
            raise UserError("final_epoch best needs evaluate_every above 0.")
        if self.refit and (self.evaluate_on != "test" or not self.evaluate_every):
            raise UserError(
                "refit measures epochs on held-out photographs and the result on the test; leave "
                "out evaluate_on, and give evaluate_every above 0."
            )
        if self.refit_rates and not self.refit:
            raise UserError("refit_rates are chosen from by refit; give refit true, too.")
        if any(not rate > 0 for rate in self.refit_rates):
            raise UserError(f"refit_rates must be above 0, not {self.refit_rates}.")
        if self.early_stopping_epochs and not self.evaluate_every:
            raise UserError("early_stopping_epochs needs evaluate_every above 0.")
        if self.rerank is not None:
            # Imported here, since `--help` does not need faiss.
            from nfl_keras.retrieval.reranking.parse_rerank import parse_rerank

            parse_rerank(self.rerank)

    @property
    def final_checkpoint(self) -> str:
        """The name of the saved model whose figures the run reports."""
        return self.final_epoch if self.blend == 1 else "blend"
