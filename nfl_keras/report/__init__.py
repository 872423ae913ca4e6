"""HTML pages about training runs, searches and catalogs: figures, curves and photographs."""

from nfl_keras.report.comparison import ComparedRow, Comparison
from nfl_keras.report.draw_at_k import draw_at_k
from nfl_keras.report.draw_curves import Panel, draw_blend, draw_curves
from nfl_keras.report.draw_learning import draw_learning
from nfl_keras.report.fault_rows import FaultPhotograph, FaultRow, FaultSection
from nfl_keras.report.markdown_of_comparisons import markdown_of_comparisons
from nfl_keras.report.noise_grid import noise_grid
from nfl_keras.report.retrieval_rows import Neighbor, RetrievalRow
from nfl_keras.report.write_comparison import write_comparison
from nfl_keras.report.write_faults import write_faults
from nfl_keras.report.write_figures import write_figures
from nfl_keras.report.write_report import write_report
from nfl_keras.report.write_search import write_search
from nfl_keras.report.write_summary import write_summary

__all__ = [
    "ComparedRow",
    "Comparison",
    "FaultPhotograph",
    "FaultRow",
    "FaultSection",
    "Neighbor",
    "Panel",
    "RetrievalRow",
    "draw_at_k",
    "draw_blend",
    "draw_curves",
    "draw_learning",
    "markdown_of_comparisons",
    "noise_grid",
    "write_comparison",
    "write_faults",
    "write_figures",
    "write_report",
    "write_search",
    "write_summary",
]
