"""The page a run leaves behind: headline, curves and retrieval examples in one HTML file."""

from nfl_keras.report.grids import Neighbour, RetrievalRow
from nfl_keras.report.page import write_report, write_summary

__all__ = ["Neighbour", "RetrievalRow", "write_report", "write_summary"]
