"""The tables and figures of [NAFL] (doi 10.32604/csse.2023.032047)."""

from nfl_keras.reproduction.baselines import BASELINES, FROZEN
from nfl_keras.reproduction.table import Row, Table

_BOTH = ("cars196", "cub200_2011")
_RECALLS = tuple(f"Recall@{k}" for k in (1, 2, 4, 8, 16))
_SETTING = "classes never trained on; ResNet-50, 1,024 dimensions, batches of 64"
_IN_WORDS = "the paper draws it, and prints no numbers"
_SLIP = "The paper's text speaks of 198 car models; the dataset has 196."


def _noises(number: int, dataset: str) -> Table:
    return Table(
        f"nafl-figure-{number}",
        f"[NAFL] figure {number}: the noise of the positives, {dataset}",
        f"{_SETTING}; {_IN_WORDS}",
        "zero-shot",
        (dataset,),
        _RECALLS,
        {
            "no noise": Row("nafl-none"),
            "Gaussian noise": Row("nafl-gaussian"),
            "shuffle": Row("nafl"),
        },
        {"L_inter alone": Row("nafl-inter"), **FROZEN},
        (("Gaussian noise", "no noise"), ("shuffle", "Gaussian noise"), ("shuffle", "no noise")),
        network="r50",
        is_figure=True,
    )


def _tasks(number: int, dataset: str) -> Table:
    return Table(
        f"nafl-figure-{number}",
        f"[NAFL] figure {number}: the pretext tasks, {dataset}",
        f"{_SETTING}; {_IN_WORDS}",
        "zero-shot",
        (dataset,),
        _RECALLS,
        {
            "no task": Row("nafl"),
            "rotation": Row("nafl-rotation"),
            "exemplar": Row("nafl-exemplar"),
            "jigsaw": Row("nafl-jigsaw"),
        },
        FROZEN,
        (
            ("rotation", "no task"),
            ("exemplar", "no task"),
            ("jigsaw", "no task"),
            ("jigsaw", "rotation"),
            ("jigsaw", "exemplar"),
        ),
        network="r50",
        is_figure=True,
    )


NAFL_TABLES = (
    Table(
        "nafl-table-1",
        "[NAFL] table 1: recognition accuracy",
        "other photographs of the same classes; ResNet-50",
        "fine-grained",
        _BOTH,
        ("accuracy",),
        {
            "cross-entropy": Row("softmax"),
            "L_inter": Row("softmax-inter"),
            "L_inter + L_intra": Row("softmax-inter-intra"),
        },
        claims=(("L_inter", "cross-entropy"), ("L_inter + L_intra", "L_inter")),
        slips=(_SLIP,),
        network="r50",
    ),
    Table(
        "nafl-table-2",
        "[NAFL] table 2: the terms of the loss beside the triplet loss",
        _SETTING,
        "zero-shot",
        _BOTH,
        (*_RECALLS[:2], "mAP"),
        {
            "triplet": Row("triplet-semi-hard"),
            "L_inter": Row("nafl-inter"),
            "L_inter + L_intra": Row("nafl"),
        },
        FROZEN,
        (("L_inter", "triplet"), ("L_inter + L_intra", "L_inter")),
        slips=(_SLIP,),
        network="r50",
    ),
    Table(
        "nafl-table-3",
        "[NAFL] table 3: zero-shot, beside other methods",
        f"{_SETTING}; the figures of other methods are those of their own papers",
        "zero-shot",
        _BOTH,
        (*_RECALLS, "mAP"),
        {
            "Contrastive": Row("contrastive"),
            "Triplet": Row("triplet-semi-hard"),
            "LiftedStruct": Row("lifted-structure"),
            "N-pairs": Row("n-pairs"),
            "SCDA": Row("scda"),
            "EPSHN": Row("epshn"),
            "NAFL (R50)": Row("nafl"),
            "NAFL + SSL (R50)": Row("nafl-jigsaw"),
        },
        {"NIFL": Row("nifl"), **BASELINES},
        slips=(_SLIP,),
        network="r50",
    ),
    _noises(4, "cars196"),
    _noises(5, "cub200_2011"),
    _tasks(6, "cars196"),
    _tasks(7, "cub200_2011"),
)
