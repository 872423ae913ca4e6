"""Measures time and memory of the pair-based losses, forward and backward, against their peers.

    pip install 'nfl_keras[benchmarks]'
    python benchmarks/pair_losses.py

The inputs are those of `benchmarks/losses.py`: unit embeddings of 512 numbers, four of each class.
The peers are those of pytorch-metric-learning with the same terms, some with a miner.
`TripletMarginMiner` mines all semi-hard triplets, of which ours has one for each positive.
Recall@k has no peer there. Each measurement has its own process, and ours and the peer alternate.
Memory is measured as `benchmarks/losses.py` says. Time is that of one CPU thread, which other work
on the machine changes little; PyTorch's threads wait for each other on a busy machine.
"""

import argparse
import json
import statistics
import sys
import time

from losses import call_of_ours, call_of_peer, measure, measure_in_a_process, spread_of

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
# Our class and its arguments; the peer's class and arguments; its miner and arguments.
ROWS = {
    "contrastive": ("ContrastiveLoss", {}, "ContrastiveLoss", (0, 0.5), None, ()),
    "triplet, all": ("TripletLoss", {"mining": "all"}, "TripletMarginLoss", (0.2,), None, ()),
    "triplet, semi-hard": (
        "TripletLoss",
        {"mining": "semi-hard"},
        "TripletMarginLoss",
        (0.2,),
        "TripletMarginMiner",
        (0.2, "semihard"),
    ),
    "triplet, hard": (
        "TripletLoss",
        {"mining": "hard"},
        "TripletMarginLoss",
        (0.2,),
        "BatchHardMiner",
        (),
    ),
    "lifted structure": ("LiftedStructureLoss", {}, "LiftedStructureLoss", (), None, ()),
    "N-pairs": ("NPairsLoss", {}, "NPairsLoss", (), None, ()),
    "EPSHN": ("EPSHNLoss", {}, "NTXentLoss", (0.1,), "BatchEasyHardMiner", ()),
    "Multi-Similarity": (
        "MultiSimilarityLoss",
        {},
        "MultiSimilarityLoss",
        (),
        "MultiSimilarityMiner",
        (),
    ),
    "SupCon": ("SupervisedContrastiveLoss", {}, "SupConLoss", (), None, ()),
    "recall@k": ("RecallAtKSurrogateLoss", {}, None, (), None, ()),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--losses", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        row, side, batch_size = given.measure
        print(json.dumps(measure(_side(row, side), int(batch_size), time.process_time)))
        return
    measured = {(row, side): [] for row in given.losses for side in _sides(row)}
    for run in range(given.runs):
        for (row, side), results in measured.items():
            results.append(measure_in_a_process(row, side, given.batch_size, **ONE_THREAD))
            print(run, row, side, results[-1], file=sys.stderr, flush=True)
    print("| loss | | ms, median (least to most) | MiB, median | time beside ours |")
    print("|---|---|---|---|---|")
    for (row, side), results in measured.items():
        seconds, mebibytes = zip(*results, strict=True)
        pairs = zip(results, measured[row, "ours"], strict=True)
        beside = statistics.median(its[0] / ours[0] for its, ours in pairs)
        memory = f"{statistics.median(mebibytes):,.0f}"
        print(f"| {row} | {side} | {spread_of(seconds)} | {memory} | {beside:.2f} |")


def _sides(row):
    return ("ours", "peer") if ROWS[row][2] else ("ours",)


def _side(row, side):
    ours, settings, peer, arguments, miner, of_miner = ROWS[row]
    if side == "ours":
        import nfl_keras as nfl

        loss = getattr(nfl.losses, ours)(**settings)
        return lambda batch_size: call_of_ours(loss, batch_size)
    from pytorch_metric_learning import losses, miners

    loss = getattr(losses, peer)(*arguments)
    made = getattr(miners, miner)(*of_miner) if miner else None
    return lambda batch_size: call_of_peer(loss, batch_size, made)


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


if __name__ == "__main__":
    main()
