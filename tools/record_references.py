"""Records what other libraries' losses give, for the tests of ours.

    python3.11 tools/record_references.py

It makes two virtual environments, one with TensorFlow 2.15.1 and tensorflow-addons 0.23.0 and one
with PyTorch and pytorch-metric-learning 2.9.0 (3 GB to download, without CUDA's libraries 1 GB),
computes the losses of a few small batches in each, and writes them with the versions to
tests/losses/pairs/references.json. tensorflow-addons ended in 2024, and Python 3.11 is the last
that its TensorFlow has.

A value of pytorch-metric-learning is given by anchor: the mean of the terms above 0 that the
anchor has. Beside it stands the library's own mean, `loss`. Of losses with
proxies the mean alone is given.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import venv

ENVIRONMENTS = {
    "tensorflow_addons": ["tensorflow-cpu==2.15.1", "tensorflow-addons==0.23.0"],
    "pytorch_metric_learning": ["torch", "pytorch-metric-learning==2.9.0"],
}
OUT = pathlib.Path(__file__).parent.parent / "tests/losses/pairs/references.json"
BATCHES = {
    "balanced": {"seed": 0, "width": 4, "labels": [0, 1, 2, 0, 1, 2, 0, 1, 2]},
    "unbalanced": {"seed": 1, "width": 4, "labels": [4, 4, 4, 4, 9, 9, 7, 7, 7]},
    "pairs": {"seed": 2, "width": 4, "labels": [0, 1, 2, 3, 0, 1, 2, 3]},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--environments", type=pathlib.Path, help="folder to keep them in")
    parser.add_argument("--out", type=pathlib.Path, default=OUT)
    parser.add_argument("--record", choices=ENVIRONMENTS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.record:
        print(json.dumps(globals()[f"_record_{given.record}"]()))
        return
    with tempfile.TemporaryDirectory() as temporary:
        recorded = {"made_by": "tools/record_references.py", "batches": BATCHES}
        for name in ENVIRONMENTS:
            recorded[name] = _in_environment(given.environments or pathlib.Path(temporary), name)
    given.out.write_text(json.dumps(recorded, indent=1) + "\n")
    print(f"wrote {given.out}")


def _in_environment(folder, name):
    python = folder / name / "bin" / "python"
    if not python.exists():
        print(f"making {folder / name}", file=sys.stderr, flush=True)
        venv.create(folder / name, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *ENVIRONMENTS[name]], check=True)
    command = [python, __file__, "--record", name]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(finished.stdout.splitlines()[-1])


def _batch(seed, width, labels):
    import numpy as np

    vectors = np.random.default_rng(seed).normal(size=(len(labels), width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype("float32"), np.array(labels)


def _record_tensorflow_addons():
    import numpy as np
    import tensorflow as tf
    import tensorflow_addons as tfa

    losses = {}
    for name, batch in BATCHES.items():
        f, labels = _batch(**batch)
        distances = np.linalg.norm(f[:, None] - f, axis=-1)
        same = np.equal.outer(labels, labels).astype("float32")
        half = len(labels) // 2
        losses[name] = {
            # One value per pair.
            "contrastive": tfa.losses.contrastive_loss(same, distances, margin=1.2),
            "triplet_semihard": tfa.losses.triplet_semihard_loss(labels, f, margin=0.5),
            "triplet_hard": tfa.losses.triplet_hard_loss(labels, f, margin=0.5),
            "lifted_struct": tfa.losses.lifted_struct_loss(labels, f, margin=1.0),
        }
        if name == "pairs":
            logits = f[:half] @ f[half:].T / np.float32(0.1)
            losses[name]["npairs"] = tfa.losses.npairs_loss(labels[:half], logits)
        losses[name] = {key: _rounded(value.numpy()) for key, value in losses[name].items()}
    return {"versions": {"tensorflow": tf.__version__, "addons": tfa.__version__}, **losses}


def _record_pytorch_metric_learning():
    import pytorch_metric_learning
    import torch
    from pytorch_metric_learning import losses, miners

    ways = {
        "contrastive": (losses.ContrastiveLoss(0.3, 1.2), None),
        "triplet_all": (losses.TripletMarginLoss(0.2), None),
        "triplet_hard": (losses.TripletMarginLoss(0.2), miners.BatchHardMiner()),
        "lifted_structure": (losses.LiftedStructureLoss(neg_margin=1.0), None),
        "n_pairs": (losses.NPairsLoss(), None),
        "epshn": (losses.NTXentLoss(0.1), miners.BatchEasyHardMiner("easy", "semihard")),
        "multi_similarity": (losses.MultiSimilarityLoss(2, 50, 0.5), None),
        "multi_similarity_mined": (
            losses.MultiSimilarityLoss(2, 50, 0.5),
            miners.MultiSimilarityMiner(0.1),
        ),
        "supervised_contrastive": (losses.SupConLoss(0.1), None),
    }
    found = {}
    for name, batch in BATCHES.items():
        embeddings, labels = map(torch.from_numpy, _batch(**batch))
        found[name] = {}
        for way, (loss, miner) in ways.items():
            mined = miner(embeddings, labels) if miner else None
            found[name][way] = {
                "loss": _rounded(loss(embeddings, labels, mined)),
                "by_anchor": _rounded(_by_anchor(loss, embeddings, labels, mined)),
            }
        found[name]["proxies"] = _by_proxies(losses, torch, name)
    versions = {"torch": torch.__version__, "metric_learning": pytorch_metric_learning.__version__}
    return {"versions": versions, **found}


def _by_proxies(losses, torch, name):
    embeddings, labels = map(torch.from_numpy, _batch(**BATCHES[name]))
    width, count = embeddings.shape[1], 10
    found = {}
    for way, loss, per_class in (
        ("norm_softmax", losses.NormalizedSoftmaxLoss(count, width, temperature=0.05), 1),
        ("proxy_anchor", losses.ProxyAnchorLoss(count, width, margin=0.1, alpha=32), 1),
        ("soft_triple", losses.SoftTripleLoss(count, width, centers_per_class=3), 3),
    ):
        proxies, _ = _batch(BATCHES[name]["seed"] + 100, width, [0] * (count * per_class))
        [weights] = loss.parameters()
        proxies = torch.from_numpy(proxies)
        weights.data = proxies if weights.shape == proxies.shape else proxies.T.contiguous()
        found[way] = _rounded(loss(embeddings, labels).detach())
    return found


def _by_anchor(loss, embeddings, labels, mined):
    import numpy as np
    from pytorch_metric_learning.reducers import DoNothingReducer

    reducer, loss.reducer = loss.reducer, DoNothingReducer()
    sums = np.zeros(len(labels))
    for part in loss(embeddings, labels, mined).values():
        indices = part["indices"]
        anchors = indices if part["reduction_type"] == "element" else indices[0]
        anchors, values = np.asarray(anchors), np.asarray(part["losses"]).reshape(-1)
        for anchor in set(anchors.tolist()):
            above = values[(anchors == anchor) & (values > 0)]
            sums[anchor] += above.mean() if above.size else 0.0
    loss.reducer = reducer
    return sums


def _rounded(values):
    import numpy as np

    return np.round(np.asarray(values, "float64"), 7).tolist()


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


if __name__ == "__main__":
    main()
