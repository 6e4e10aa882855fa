"""A comparison as one self-contained HTML page in English and Chinese."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from rnntag.analysis.compare import FADED, CellReport, faded, forgotten
from rnntag.analysis.probes import KEYS
from rnntag.evaluation.html_report import STYLE
from rnntag.evaluation.metrics import percent

RECALL_DISTANCES = (1, 10, 25, 50, 100)
"""Distances whose recall is in the table."""
QUICK = (
    "<p><strong>This is a quick comparison</strong>: few epochs and a short recall task. Its "
    "figures are rough; a full comparison may rank the cells differently.</p>\n"
    '<p lang="zh"><strong>这是快速对比</strong>：训练轮数少，回忆任务短，数字只作粗略参考；'
    "完整对比的排名可能不同。</p>\n"
)
TEMPLATE = Path(__file__).with_name("compare.html")


def write(reports: Sequence[CellReport], pictures: Mapping[str, Path], command: str, quick: bool) -> str:
    """The page.

    Args:
        pictures: see `plots.write`.
        command: the command that made the figures.
        quick: whether they are rough.
    """
    fill = {
        name: f"data:image/svg+xml;base64,{b64encode(path.read_bytes()).decode()}" for name, path in pictures.items()
    }
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        fill,
        style=STYLE.read_text(encoding="utf-8"),
        command=escape(command),
        quick=QUICK if quick else "",
        costs=_costs(reports),
        memory=_memory(reports),
        chance=f"{100 / KEYS:.1f}",
        keys=KEYS,
        furthest=len(reports[0].recall),
        distances=len(reports[0].reach) - 1,
        marks="".join(f"<th>{distance}</th>" for distance in _distances(reports[0])),
        faded=f"{FADED:.0%}",
    )


def _costs(reports: Sequence[CellReport]) -> str:
    most = max(report.recurrent_parameters for report in reports)
    return _rows(
        [
            report.name,
            f"{report.recurrent_parameters:,}",
            f"{report.recurrent_parameters / most:.4g}",
            f"{report.parameters:,}",
            percent(report.accuracy),
            percent(report.unknown_accuracy),
            f"{report.training_seconds:,.0f}",
            f"{report.tagging_speed:,.0f}",
        ]
        for report in reports
    )


def _memory(reports: Sequence[CellReport]) -> str:
    return _rows(
        [
            report.name,
            _distance(faded(report.untrained_reach), len(report.untrained_reach) - 1),
            _distance(faded(report.reach), len(report.reach) - 1),
            _distance(forgotten(report.recall), len(report.recall)),
            *(f"{report.recall[distance - 1]:.0%}" for distance in _distances(report)),
        ]
        for report in reports
    )


def _distances(report: CellReport) -> list[int]:
    return [distance for distance in RECALL_DISTANCES if distance <= len(report.recall)]


def _distance(first: int | None, furthest: int) -> str:
    return f"&gt; {furthest}" if first is None else str(first)


def _rows(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>" for name, *cells in rows
    )
