"""The tables and figures of [NIFL] (doi 10.1038/s41598-025-97528-9)."""

from typing import Any

from nfl_keras.reproduction.baselines import BASELINES, FROZEN
from nfl_keras.reproduction.table import Row, Table

_FLOWERS = "Flowers-17, five random splits of 40 / 25 / 15 photographs a class; ResNet-18, 256 "
_FLOWERS += "dimensions, batches of 8 x 8, three crops"
_CARS = "Cars-196, 8,144 photographs to train, each of 8,041 others a query against the rest; "
_CARS += "ResNet-18"
_ZERO_SHOT = "classes never trained on, each of their photographs a query against the rest"
_ABLATION = {
    "L_D": Row("nifl-d"),
    "L_N + L_S": Row("nifl-n-s"),
    "L_D + L_S": Row("nifl-d-s"),
    "L_D + L_N": Row("nifl-d-n"),
    "L_D + L_N + L_S": Row("nifl"),
}
_ABLATION_CLAIMS = (
    ("L_D + L_N", "L_D"),
    ("L_D + L_S", "L_D"),
    ("L_D + L_N + L_S", "L_D + L_N"),
    ("L_D + L_N + L_S", "L_D + L_S"),
)
_ON_FLOWERS = {
    "LBP": Row("lbp"),
    "HOG": Row("hog"),
    "ResNet18 pretrained": Row("frozen"),
    "NIFL (R18)": Row("nifl"),
}
_OF_CLASSES = (
    "bluebell, buttercup, coltsfoot, cowslip, crocus, daffodil, daisy, dandelion, fritillary",
    "iris, lily of the valley, pansy, snowdrop, sunflower, tigerlily, tulip, windflower",
)
_DIMENSIONS = (64, 128, 256, 512, 1024, 2048)
_RECALLS = tuple(f"Recall@{k}" for k in (1, 2, 4, 8, 16))
_BOTH = ("cars196", "cub200_2011")


def _of_networks(*networks: tuple[str, int]) -> dict[str, Row]:
    """The rows of [NIFL] with several networks and dimensions."""
    return {
        f"NIFL ({network.upper()}) {size}-d": Row("nifl", {"embedding_dim": size}, network)
        for network, size in networks
    }


def _of_dimensions(name: str, method: str, network: str, **settings: Any) -> dict[str, Row]:
    return {
        f"{name} {size}-d": Row(method, {"embedding_dim": size, **settings}, network)
        for size in (512, 2048)
    }


NIFL_TABLES = (
    Table(
        "nifl-table-2",
        "[NIFL] table 2: mAP on Flowers-17",
        f"{_FLOWERS}; mAP over the whole gallery",
        "fine-grained",
        ("flowers17",),
        ("mAP", *(f"split {i}" for i in range(1, 6)), "Recall@1"),
        _ON_FLOWERS,
        {"NAFL": Row("nafl"), **BASELINES},
        tuple(("NIFL (R18)", name) for name in ("LBP", "HOG", "ResNet18 pretrained")),
    ),
    *(
        Table(
            f"nifl-table-{number}",
            f"[NIFL] table {number}: mAP on Flowers-17, class by class",
            f"{_FLOWERS}; means over the splits",
            "fine-grained",
            ("flowers17",),
            tuple(classes.split(", ")),
            _ON_FLOWERS,
        )
        for number, classes in zip((3, 4), _OF_CLASSES, strict=True)
    ),
    Table(
        "nifl-table-5",
        "[NIFL] table 5: mAP on Cars-196",
        _CARS,
        "fine-grained",
        ("cars196",),
        ("mAP",),
        _ON_FLOWERS,
        claims=(("NIFL (R18)", "ResNet18 pretrained"),),
        slips=(
            "The paper's text gives other figures than its table for LBP (0.007), HOG (0.010) and "
            "the pretrained ResNet-18 (0.041).",
        ),
    ),
    Table(
        "nifl-table-6",
        "[NIFL] table 6: mAP@k on Cars-196, beside pooled features",
        f"{_CARS}; mAP@k divides by the hits among the first k, as in SCDA's paper",
        "fine-grained",
        ("cars196",),
        ("mAP@1", "mAP@5"),
        {
            "SPoC": Row("spoc"),
            "CroW": Row("crow"),
            "R-MAC": Row("rmac"),
            "SCDA (Wei et al.)": Row("scda"),
            "NIFL (R18)": Row("nifl"),
        },
        {"Average pooling": Row("frozen")},
        tuple(("NIFL (R18)", name) for name in ("SPoC", "CroW", "R-MAC", "SCDA (Wei et al.)")),
    ),
    Table(
        "nifl-table-7",
        "[NIFL] table 7 and figure 4: the terms of the loss, mAP@k on Cars-196",
        f"{_CARS}; mAP@k divides by the hits among the first k, as in SCDA's paper",
        "fine-grained",
        ("cars196",),
        tuple(f"mAP@{k}" for k in range(1, 6)),
        _ABLATION,
        FROZEN,
        _ABLATION_CLAIMS,
        is_figure=True,
    ),
    Table(
        "nifl-table-8",
        "[NIFL] table 8: recognition accuracy on Cars-196",
        f"{_CARS}; accuracy of the softmax head; batches of 64, rate 0.0001",
        "fine-grained",
        ("cars196",),
        ("accuracy",),
        {
            "cross-entropy": Row("softmax"),
            "L_S": Row("nifl-s"),
            "L_N + L_S": Row("nifl-n-s"),
            "L_D + L_S": Row("nifl-d-s"),
            "L_D + L_N + L_S": Row("nifl"),
        },
        claims=(
            ("L_S", "cross-entropy"),
            ("L_N + L_S", "L_S"),
            ("L_D + L_S", "L_S"),
            ("L_D + L_N + L_S", "L_D + L_S"),
        ),
    ),
    Table(
        "nifl-table-9",
        "[NIFL] table 9: the terms of the loss, zero-shot",
        f"{_ZERO_SHOT}; ResNet-18, 512 dimensions, batches of 240 with 12 of each class",
        "zero-shot",
        _BOTH,
        (*_RECALLS[:4], "mAP"),
        {name: row for name, row in _ABLATION.items() if name != "L_N + L_S"},
        FROZEN,
        _ABLATION_CLAIMS,
    ),
    Table(
        "nifl-table-10",
        "[NIFL] table 10: zero-shot, beside other methods",
        f"{_ZERO_SHOT}; ResNet-50 and ResNet-101, batches of 144 with 24 of each class; the "
        "figures of other methods are those of their own papers",
        "zero-shot",
        _BOTH,
        (*_RECALLS, "mAP"),
        {
            "Triplet": Row("triplet-semi-hard"),
            "LiftedStruct": Row("lifted-structure"),
            "N-pairs": Row("n-pairs"),
            "SCDA": Row("scda"),
            "EPSHN": Row("epshn"),
            "Anti-Collapse": Row("anti-collapse"),
            **_of_dimensions("NormSoftmax", "norm-softmax", "r50"),
            **_of_networks(("r18", 512), ("r50", 512), ("r50", 1024), ("r50", 2048)),
            **_of_networks(("r101", 512), ("r101", 2048)),
        },
        {"NIFL": Row("nifl"), "NAFL": Row("nafl"), **BASELINES},
        slips=("Row D & C cannot be Recall@2 and Recall@4: its figures fall as k grows.",),
        network="r50",
    ),
    Table(
        "nifl-table-11",
        "[NIFL] table 11: zero-shot on Stanford Online Products",
        f"{_ZERO_SHOT}; ResNet-50 and ResNet-101",
        "zero-shot",
        ("stanford_online_products",),
        ("Recall@1", "Recall@10", "Recall@100"),
        {
            "EPSHN": Row("epshn"),
            "Anti-Collapse": Row("anti-collapse"),
            **_of_dimensions("NormSoftmax", "norm-softmax", "r50"),
            **_of_dimensions("SGSL", "sgsl", "r50", label_smoothing=0.1),
            **_of_networks(("r50", 512), ("r50", 2048), ("r101", 2048)),
        },
        {**FROZEN, "NIFL": Row("nifl")},
        network="r50",
    ),
    Table(
        "nifl-figure-3",
        "[NIFL] figure 3: mAP@k on Flowers-17",
        f"{_FLOWERS}; the paper draws NIFL above Kumar et al., and prints no numbers",
        "fine-grained",
        ("flowers17",),
        tuple(f"mAP@{k}" for k in (1, 2, 4, 8, 10, 16)),
        {"NIFL": Row("nifl")},
        FROZEN,
        is_figure=True,
    ),
    Table(
        "nifl-figure-5",
        "[NIFL] figure 5: Recall@k against the embedding's dimensions",
        f"{_ZERO_SHOT}; ResNet-50",
        "zero-shot",
        _BOTH,
        _RECALLS,
        {f"{size} dimensions": Row("nifl", {"embedding_dim": size}) for size in _DIMENSIONS},
        FROZEN,
        (("512 dimensions", "64 dimensions"),),
        network="r50",
        is_figure=True,
    ),
    Table(
        "nifl-figure-6",
        "[NIFL] figure 6: L_S with and without noise on the features",
        f"{_ZERO_SHOT}; CUB-200-2011, ResNet-18",
        "zero-shot",
        ("cub200_2011",),
        _RECALLS,
        {
            "with noise": Row("nifl"),
            "without noise": Row("nifl-features-without-noise"),
        },
        FROZEN,
        (("with noise", "without noise"),),
        is_figure=True,
    ),
)
