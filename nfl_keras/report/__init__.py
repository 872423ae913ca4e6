"""The page a run leaves behind: headline, curves and retrieval examples in one HTML file."""

from nfl_keras.report.noise_grid import noise_grid
from nfl_keras.report.retrieval_rows import Neighbor, RetrievalRow
from nfl_keras.report.write_report import write_report, write_summary

__all__ = ["Neighbor", "RetrievalRow", "noise_grid", "write_report", "write_summary"]
