"""A report as text for the terminal, as JSON for programs, and as an HTML page for the learner."""

import dataclasses
import html
import textwrap
from pathlib import Path

import gatedrnn
from gatedrnn.practice.grading import Report
from gatedrnn.practice.judge import Verdict

SCHEMA = "gatedrnn-grade-1"
WORDS = {
    "right": "right",
    "partly": "partly right",
    "wrong": "not right",
    "unwritten": "not written yet",
    "unreached": "not reached",
    "pending": "pending",
    "missing": "not found",
}


def as_text(report: Report, width: int = 100) -> str:
    """Write a report for the terminal."""
    if report.status != "graded":
        return f"{report.path}: {report.status}, {report.reason}."
    lines = [f"{report.path}: {report.set}, {report.title}"]
    for verdict in report.verdicts:
        points = "–" if verdict.status == "pending" else str(verdict.points)
        lines.append(f"  {verdict.item:16} {points:>2} of {verdict.out_of}   {WORDS[verdict.status]}")
        for text in details(verdict):
            lines += textwrap.wrap(text, width, initial_indent=" " * 28, subsequent_indent=" " * 30)
    lines += [f"  {stopped(cell)}"[:width] for cell in report.cells]
    lines += (
        textwrap.wrap("note: " + "; ".join(report.notes), width, initial_indent="  ") if report.notes else []
    )
    return "\n".join([*lines, f"  {summary(report)}"])


def summary(report: Report) -> str:
    """Write the mark in one line."""
    share = round(100 * report.points / report.out_of) if report.out_of else 0
    pending = f", {report.pending} pending" if report.pending else ""
    mark = f"{report.points} of {report.out_of} points ({share} %){pending}"
    return f"{mark}; {report.seconds:.1f} s in {report.sandbox}"


def stopped(cell: dict) -> str:
    """Say which cell did not run to its end, and why."""
    return f"cell {cell['cell']} ({cell['starts']}) stopped: {cell['problem']}"


def details(verdict: Verdict) -> list[str]:
    """The sentences below the line of an item."""
    if verdict.status == "unwritten":
        return []
    lines = [f"{text}." for text in verdict.measured]
    if verdict.status == "right":
        return lines
    lines.insert(0, verdict.message)
    if verdict.status == "pending":
        return lines
    lines += [f"call: {verdict.call}"] * bool(verdict.call)
    lines += [f"expected {verdict.expected}, got {verdict.got}"] * bool(verdict.expected)
    return lines + [f"hint: {verdict.hint}"] * bool(verdict.hint)


def as_json(reports: list[Report]) -> dict:
    """Return the whole run as one JSON object; the book's page on grading documents it."""
    return {
        "schema": SCHEMA,
        "version": gatedrnn.__version__,
        "submissions": [_submission(report) for report in reports],
    }


def _submission(report: Report) -> dict:
    return {
        "path": str(report.path),
        "sha256": report.digest,
        "set": report.set,
        "status": report.status,
        "reason": report.reason,
        "points": report.points,
        "out_of": report.out_of,
        "pending": report.pending,
        "items": [_item(verdict) for verdict in report.verdicts],
        "cells": report.cells,
        "notes": report.notes,
        "sandbox": report.sandbox,
        "seconds": round(report.seconds, 3),
    }


def _item(verdict: Verdict) -> dict:
    item = dataclasses.asdict(verdict)
    item["questions"] = [
        {"name": name, "points": points, "out_of": out_of} for name, points, out_of in verdict.questions
    ]
    return item


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: color-mix(in srgb, currentColor 25%, transparent); }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}
section {{ border-top: 1px solid var(--line); padding: .5rem 0; }}
h2 {{ font-size: 1.05rem; margin: .3rem 0; }}
code {{ overflow-wrap: anywhere; }}
.mark {{ font-size: 1.3rem; }}
blockquote {{ white-space: pre-wrap; }}
.hint {{ border-left: .25rem solid var(--line); padding-left: .75rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def as_html(report: Report) -> str:
    """Return a report as a page that needs no other file and makes no request."""
    title = html.escape(f"{report.path.name}: {report.title or 'not marked'}")
    if report.status != "graded":
        return PAGE.format(
            title=title, body=f"<p>{html.escape(report.status)}: {html.escape(report.reason)}.</p>"
        )
    body = [f'<p class="mark">{html.escape(summary(report))}</p>']
    body += [_html_item(verdict) for verdict in report.verdicts]
    if report.cells:
        rows = "".join(f"<li>{html.escape(stopped(cell))}</li>" for cell in report.cells)
        body.append(f"<section><h2>Cells that stopped</h2><ul>{rows}</ul></section>")
    if report.notes:
        rows = "".join(f"<li>{html.escape(note)}</li>" for note in report.notes)
        body.append(f"<section><h2>Notes</h2><ul>{rows}</ul></section>")
    return PAGE.format(title=title, body="\n".join(body))


def _html_item(verdict: Verdict) -> str:
    points = "–" if verdict.status == "pending" else verdict.points
    heading = f"{html.escape(verdict.title)}: {points} of {verdict.out_of}, {WORDS[verdict.status]}"
    lines = [f"<section><h2>{heading}</h2>"]
    for text in details(verdict):
        if text.startswith("hint: "):
            lines.append(f'<p class="hint">{html.escape(text.removeprefix("hint: "))}</p>')
        elif text.startswith("call: "):
            lines.append(f"<p><code>{html.escape(text.removeprefix('call: '))}</code></p>")
        else:
            lines.append(f"<p>{html.escape(text)}</p>")
    if verdict.status == "pending":
        lines.append(
            f"<p>{html.escape(verdict.expected)}</p><blockquote>{html.escape(verdict.got)}</blockquote>"
        )
    return "\n".join([*lines, "</section>"])


def write_html(reports: list[Report], folder: Path) -> list[Path]:
    """Write one page for each report, under names that do not collide.

    Raises
    ------
    OSError
        If the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for report in reports:
        stem, number = report.path.stem or "notebook", 1
        while (page := folder / f"{stem}{'' if number == 1 else f'-{number}'}.html") in written:
            number += 1
        page.write_text(as_html(report), encoding="utf-8")
        written.append(page)
    return written
