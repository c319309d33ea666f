"""The one style of all figures: told apart by everyone, legible on light and dark, the same each time."""

import itertools
import re
import xml.etree.ElementTree

import matplotlib
import nbformat
import numpy as np
import pytest
from gatedrnn import figures
from matplotlib import colors, font_manager, pyplot
from nbclient import NotebookClient

LIGHT_PAGE, DARK_PAGE = "#fffefb", "#14191f"


@pytest.fixture(autouse=True)
def style():
    with matplotlib.rc_context():
        figures.use_style()
        yield
        pyplot.close("all")


def linear(colour) -> np.ndarray:
    """Linear RGB of a colour."""
    rgb = np.array(colors.to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def luminance(colour) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other) -> float:
    """Contrast ratio after WCAG 2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Linear RGB to Oklab, where distances are about as large as they look (Ottosson 2020)."""
    cones = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
    mix = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])
    return mix @ np.cbrt(cones @ rgb)


# What a dichromat sees, linear RGB (Machado, Oliveira & Fernandes 2009, severity 1).
SEEN_BY = {
    "trichromat": np.eye(3),
    "protanope": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranope": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}


@pytest.mark.parametrize("page", [LIGHT_PAGE, DARK_PAGE])
@pytest.mark.parametrize("name", [*figures.PALETTE, "faint"])
def test_every_colour_stands_out_from_both_pages(name, page):
    assert contrast(figures.PALETTE.get(name, figures.FAINT), page) >= 3


def test_ink_is_easy_to_read_on_its_page():
    assert contrast(figures.INK, LIGHT_PAGE) >= 7 and contrast(figures.DARK_INK, DARK_PAGE) >= 7


@pytest.mark.parametrize("eye", SEEN_BY)
@pytest.mark.parametrize(("many", "apart"), [(4, 0.08), (6, 0.05)])
def test_colours_are_told_apart_by_every_eye(eye, many, apart):
    some = list(figures.PALETTE.values())[:many]
    seen = [oklab(np.clip(np.array(SEEN_BY[eye]) @ linear(colour), 0, 1)) for colour in some]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > apart


def test_lines_differ_without_colour_too():
    dashes = [entry["linestyle"] for entry in matplotlib.rcParams["axes.prop_cycle"]]
    assert len(dashes) == len(figures.PALETTE) == len(set(map(str, dashes)))


def test_size_is_in_columns():
    assert figures.size(0.5, 0.25) == (figures.COLUMN / 2, figures.COLUMN / 4)
    for width, height in [(0, 1), (1.2, 1), (1, 0)]:
        with pytest.raises(ValueError, match="measures in text columns"):
            figures.size(width, height)


def picture() -> str:
    """A figure with text, formula, line and Greek."""
    figure, axes = pyplot.subplots()
    axes.plot([0, 1], [1, 0], label=r"$\lambda$")
    axes.set(xlabel="time constant τ (ms)", title="Echo − after 60 steps")
    axes.legend()
    return figures.svg(figure)


def test_a_figure_is_one_transparent_svg_with_outlined_letters():
    svg = picture()
    root = xml.etree.ElementTree.fromstring(svg)
    assert root.tag.endswith("svg") and "<text" not in svg and "<image" not in svg
    background = re.search(r'<g id="patch_1">.*?style="([^"]*)"', svg, re.DOTALL)[1]
    assert "fill: none" in background
    assert not pyplot.get_fignums()


def test_the_same_drawing_gives_the_same_file():
    assert picture() == picture()


def test_the_dark_twin_differs_in_ink_alone():
    light = picture()
    dark = figures.dark(light)
    assert figures.INK in light and figures.INK not in dark
    assert dark.replace(figures.DARK_INK, figures.INK) == light
    assert figures.dark(figures.INK.upper()) == figures.DARK_INK


def test_text_and_axes_are_drawn_in_ink():
    _, axes = pyplot.subplots()
    axes.set(title="title", xlabel="label")
    parts = [axes.title, axes.xaxis.label, *axes.get_xticklabels()]
    assert {colors.to_hex(part.get_color()) for part in parts} == {figures.INK}
    assert colors.to_hex(axes.spines["left"].get_edgecolor()) == figures.INK


def test_every_letter_is_found(recwarn):
    figure, axes = pyplot.subplots()
    axes.set_title("τ ≥ 3 ⊙ ‖W‖ − ∂")
    figure.canvas.draw()
    assert [str(warning.message) for warning in recwarn if "lyph" in str(warning.message)] == []
    assert font_manager.findfont("Book Sans", fallback_to_default=False).endswith("BookSans-Regular.ttf")


@pytest.mark.notebook
def test_in_a_notebook_a_figure_comes_as_svg_of_full_size():
    source = """
    from matplotlib import pyplot
    from gatedrnn import figures
    figures.use_style()
    pyplot.subplots(figsize=figures.size(0.5, 0.25));
    """
    cell = nbformat.v4.new_code_cell("\n".join(line.strip() for line in source.splitlines()))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    (output,) = cell.outputs
    assert "image/svg+xml" in output.data and "image/png" not in output.data
    svg = output.data["image/svg+xml"]
    assert svg.count(figures.PAPER) == 1 and "/>" not in svg[svg.index("<svg") : svg.index(figures.PAPER)]
    width, height = (72 * inches for inches in figures.size(0.5, 0.25))
    assert f'width="{width:g}pt" height="{height:g}pt"' in svg
