"""Methods that the field has found hard to beat, beside those that the papers compare with."""

from nfl_keras.reproduction.table import Row

FROZEN = {"frozen backbone": Row("frozen")}

BASELINES = {
    **FROZEN,
    "softmax": Row("softmax"),
    "contrastive": Row("contrastive"),
    "triplet, all": Row("triplet-all"),
    "triplet, semi-hard": Row("triplet-semi-hard"),
    "triplet, hard": Row("triplet-hard"),
    "lifted structure": Row("lifted-structure"),
    "N-pairs": Row("n-pairs"),
    "EPSHN": Row("epshn"),
    "Multi-Similarity": Row("multi-similarity"),
    "SupCon": Row("supervised-contrastive"),
    "Recall@k surrogate": Row("recall-at-k"),
    "NormSoftmax": Row("norm-softmax"),
    "Proxy-Anchor": Row("proxy-anchor"),
    "SoftTriple (several proxies)": Row("soft-triple"),
    "Proxy-Anchor + anti-collapse": Row("anti-collapse"),
    "classification (FastRetri)": Row("classification"),
    "SGSL": Row("sgsl"),
}
