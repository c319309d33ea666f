"""Every live figure of the built site by keyboard, mouse and finger, its numbers held to Python's.

The figures are found on the pages, not listed here: a new one is tested as soon as it stands on a page.
"""

import importlib
import json

import numpy as np
import pytest
from browsing import live_pages
from gatedrnn import dynamics

CHAPTER = "chapters/principles/01-machine-with-memory.html"
LIVE = live_pages() or [CHAPTER]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
STILL = {"reduced_motion": "reduce"}  # a figure that moves by itself waits until it is touched


def frames(page, count: int = 2) -> None:
    """Wait until the page has been drawn so many times."""
    page.evaluate(
        "async (count) => { for (let i = 0; i < count; i += 1) await new Promise(requestAnimationFrame); }",
        count,
    )


def told(figure) -> str:
    """Everything a figure says in words and numbers."""
    return figure.evaluate(
        "(root) => [...root.querySelectorAll('.live-sentence, dd, output, [aria-valuetext]')]"
        ".map((node) => node.textContent + (node.getAttribute('aria-valuetext') ?? '')).join(' ')"
    )


def middle(handle) -> tuple[float, float]:
    """The middle of something on the screen."""
    box = handle.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def in_view(page, handle) -> None:
    """Scroll something to the middle of the screen, away from bars that lie over its edges."""
    for _ in range(2):  # what comes near the screen is laid out, and may push it on
        handle.evaluate("(node) => node.scrollIntoView({ block: 'center', behavior: 'instant' })")
        frames(page, 3)


def python_twin(page, number: int):
    """The Python figure with the values that a figure of the page has now; None for pictures made before."""
    state = page.evaluate(
        """(number) => {
          const { model } = document.querySelectorAll(".live-figure")[number];
          const names = Object.keys(model.all());
          return Object.fromEntries(names.map((name) => [name, model.get(name)]));
        }""",
        number,
    )
    module, name = state["_anywidget_id"].rsplit(".", 1)
    kind = getattr(importlib.import_module(module), name)
    traits = kind.class_traits(sync=True)
    own = {
        name: value
        for name, value in state.items()
        if name in traits and not name.startswith("_") and not traits[name].read_only and name != "layout"
    }
    return kind(
        **{name: value for name, value in own.items() if name not in ("room", "alt", "tooltip", "tabbable")}
    )


def check_numbers_against_python(page, number: int, figure) -> int:
    """Hold every number that a figure shows to the one that Python computes; return how many there were."""
    wanted = python_twin(page, number).numbers()
    shown = figure.evaluate(
        "(root) => Object.fromEntries([...root.querySelectorAll('[data-exact]')]"
        ".map((node) => [node.dataset.readout, node.dataset.exact]))"
    )
    assert set(shown) == set(wanted)
    for name, value in wanted.items():
        assert float(shown[name]) == pytest.approx(value, rel=1e-6, abs=1e-6), name
    return len(wanted)


@pytest.mark.browser
@pytest.mark.parametrize("name", LIVE)
def test_every_slider_and_handle_answers_to_keys_says_so_and_can_be_reset(visit_page, name):
    page = visit_page(name, **STILL)
    figures = page.locator(".live-figure .live")
    assert figures.count() >= 1
    for number in range(figures.count()):
        figure = figures.nth(number)
        assert len(figure.get_attribute("aria-label")) > 40
        start, sentence = told(figure), figure.locator(".live-sentence").text_content()
        for slider in figure.locator("input[type=range]").all():
            # What is far from the screen is not laid out yet, so its text is asked for as it stands.
            assert figure.locator(f"label[for={slider.get_attribute('id')}]").text_content().strip()
            before, value = told(figure), slider.input_value()
            at_end = float(value) >= float(slider.get_attribute("max"))
            slider.focus()
            page.keyboard.press("PageDown" if at_end else "PageUp")
            frames(page)
            assert told(figure) != before and slider.get_attribute("aria-valuetext")
        for handle in figure.locator(".live-handle").all():
            assert handle.get_attribute("aria-label") and handle.get_attribute("role") == "slider"
            before = told(figure)
            handle.focus()
            for key in ("ArrowLeft", "ArrowRight", "ArrowRight"):  # it may stand at either end
                page.keyboard.press(key)
                frames(page)
                if told(figure) != before:
                    break
            assert told(figure) != before
        check_numbers_against_python(page, number, figure)
        status = figure.locator("[role=status]").element_handle()
        seen = figure.locator(".live-sentence").element_handle()
        page.wait_for_function(
            "([heard, seen]) => heard.textContent === seen.textContent", arg=[status, seen]
        )
        assert seen.text_content() != sentence
        figure.locator("button.live-reset").click()
        frames(page)
        assert told(figure) == start


@pytest.mark.browser
@pytest.mark.parametrize("name", LIVE)
def test_every_handle_follows_the_mouse_and_the_numbers_are_pythons(visit_page, name):
    page = visit_page(name, **STILL)
    for number, figure in enumerate(page.locator(".live-figure .live").all()):
        handles = figure.locator(".live-handle").all() or figure.locator("input[type=range]").all()[:1]
        for handle in handles:
            in_view(page, handle)
            before, (x, y) = told(figure), middle(handle)
            page.mouse.move(x, y)
            page.mouse.down()
            for share in (0.25, 0.5, 0.75, 1):
                page.mouse.move(x - 34 * share, y - 22 * share)
            frames(page)
            held = told(figure)
            assert held != before, f"{name}: {handle.get_attribute('aria-label')}"
            page.mouse.up()
            page.mouse.move(x + 60, y + 60)
            frames(page)
            assert told(figure) == held, "it must stay where it was let go"
            check_numbers_against_python(page, number, figure)


@pytest.mark.browser
@pytest.mark.parametrize("name", LIVE)
def test_every_handle_follows_a_finger_and_the_page_stays(visit_page, name):
    page = visit_page(name, **STILL, **PHONE)
    touch = page.context.new_cdp_session(page)
    for number, figure in enumerate(page.locator(".live-figure .live").all()):
        handles = figure.locator(".live-handle").all() or figure.locator("input[type=range]").all()[:1]
        for handle in handles:
            in_view(page, handle)
            before, scrolled, (x, y) = told(figure), page.evaluate("scrollY"), middle(handle)
            is_handle = "live-handle" in (handle.get_attribute("class") or "")
            # A slider leaves strokes up and down to the page, and may have few stops, far from each other.
            far, rise = (26, 12) if is_handle else (130, 0)
            points = [{"x": x - far * share, "y": y - rise * share} for share in (0, 0.3, 0.6, 1)]
            touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
            for point in points[1:]:
                touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
            touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
            frames(page)
            assert told(figure) != before and page.evaluate("scrollY") == scrolled
            check_numbers_against_python(page, number, figure)


def test_every_figure_offers_numbers_to_check():
    from gatedrnn import widgets

    kinds = set(widgets.__all__) - {"LiveFigure", "Frames", "frames"}  # a base, and pictures made before
    assert len(kinds) >= 13
    for kind in kinds:
        assert len(getattr(widgets, kind)().numbers()) >= 3, kind


# ---- the unit on the title page -------------------------------------------------------------------------


def step_of(page) -> int:
    return int(page.locator(".live .live-handle").get_attribute("aria-valuenow"))


@pytest.mark.browser
def test_the_unit_listens_by_itself_until_somebody_takes_hold(open_page):
    page = open_page("index.html")
    play = page.get_by_role("button", name="Pause")
    start = step_of(page)
    page.wait_for_function(
        "(start) => document.querySelector('.live .live-handle').getAttribute('aria-valuenow') != start",
        arg=str(start),
    )
    heard = page.locator(".live [role=status]").inner_text()
    handle = page.locator(".live .live-handle")
    handle.focus()
    page.keyboard.press("ArrowRight")
    assert play.count() == 0 and page.get_by_role("button", name="Play").count() == 1
    held = step_of(page)
    page.wait_for_timeout(700)
    assert step_of(page) == held, "in hand it waits"
    page.wait_for_function(
        "(old) => document.querySelector('.live [role=status]').textContent !== old", arg=heard
    )
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "(held) => document.querySelector('.live .live-handle').getAttribute('aria-valuenow') != held",
        arg=str(held),
    )


@pytest.mark.browser
def test_the_unit_waits_where_less_motion_is_wanted(open_page):
    page = open_page("index.html", **STILL)
    start = step_of(page)
    page.wait_for_timeout(700)
    assert step_of(page) == start and page.get_by_role("button", name="Play").count() == 1


@pytest.mark.browser
def test_a_visitor_can_add_and_remove_a_spike(open_page):
    page = open_page("index.html", **STILL)
    figure = page.locator(".live-figure .live")
    before = told(figure)
    page.get_by_role("button", name="No spike here").click()
    frames(page)
    assert told(figure) != before
    check_numbers_against_python(page, 0, figure)
    page.get_by_role("button", name="Spike here", exact=True).click()
    frames(page)
    assert told(figure) == before


# ---- the eigenvalue figure of chapter 1, to the last digit that it shows ---------------------------------


@pytest.fixture
def echo(open_page):
    """The eigenvalue figure of chapter 1, in view: its box, handle and a reader of its numbers."""

    def run(**options):
        page = open_page(CHAPTER, **options)
        figure = page.locator(".live", has=page.locator("[aria-label^='eigenvalue']")).first
        handle = figure.locator("[aria-label^='eigenvalue']")
        in_view(page, handle)

        def numbers() -> dict[str, float]:
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            radius, angle = (
                float(input.input_value()) for input in figure.locator("input[type=range]").all()
            )
            shown = {
                name: figure.locator(f"[data-readout={name}]").inner_text()
                for name in ("decay", "frequency", "left")
            }
            return {"radius": radius, "angle": angle * np.pi, **shown}

        return page, figure, handle, numbers

    return run


def state_of(page) -> dict:
    """The values from which the build started the first eigenvalue figure of a page."""
    script = page.locator("script[type='application/vnd.jupyter.widget-state+json']").inner_text()
    states = [model["state"] for model in json.loads(script)["state"].values()]
    return next(state for state in states if state.get("_anywidget_id", "").endswith("EigenvalueEcho"))


def check_numbers(numbers: dict, dt: float, steps: int, slack: float = 0.0006) -> None:
    """What is shown is what the package computes; sliders round the radius to 0.001, the angle to 0.002 π."""
    radius, angle = numbers["radius"], numbers["angle"]
    tau = float(numbers["decay"].removesuffix(" s"))
    low, high = (
        float(dynamics.time_constant(r, dt)) for r in (radius - slack, min(radius + slack, 1 - 1e-9))
    )
    assert low - 6e-4 <= tau <= high + 6e-4
    hertz = float(numbers["frequency"].removesuffix(" Hz"))
    assert abs(hertz - angle / (2 * np.pi * dt)) <= 0.006 + 2 * slack / (2 * dt)
    left = float(numbers["left"].removesuffix(" %")) / 100
    assert (radius - slack) ** steps - 6e-4 <= left <= (radius + slack) ** steps + 6e-4


@pytest.mark.browser
def test_the_sliders_give_pythons_numbers(echo):
    page, figure, _, numbers = echo()
    state = state_of(page)
    first = figure.locator("input[type=range]").first
    first.focus()
    for key, times in [("ArrowLeft", 7), ("PageDown", 1), ("ArrowLeft", 3)]:
        for _ in range(times):
            page.keyboard.press(key)
        told = numbers()
        modes = dynamics.eigenmodes(told["radius"] * np.eye(2), dt=state["dt"])
        assert told["decay"] == f"{modes.decay_time[0]:.3f} s"
        assert told["frequency"] == f"{state['angle'] / (2 * np.pi * state['dt']):.2f} Hz"
        left = 100 * told["radius"] ** state["steps"]
        assert told["left"] == (f"{left:.2f} %" if left < 9.95 else f"{left:.1f} %")


@pytest.mark.browser
def test_the_pair_follows_the_mouse(echo):
    page, _, handle, numbers = echo()
    state, before = state_of(page), numbers()
    x, y = middle(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 30, y - 40, steps=6)
    page.mouse.up()
    after = numbers()
    assert after["angle"] > before["angle"] + 0.1 and after["radius"] != before["radius"]
    assert np.hypot(*np.subtract(middle(handle), (x - 30, y - 40))) < 1.5
    check_numbers(after, state["dt"], state["steps"])
    page.mouse.move(x, y)
    assert numbers() == after, "the pair must stay where it was let go"


@pytest.mark.browser
def test_the_pair_follows_a_finger(echo):
    page, _, handle, numbers = echo(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    before = numbers()
    x, y = middle(handle)
    touch = page.context.new_cdp_session(page)
    for kind, points in [
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x - 15, "y": y - 20}]),
        ("touchMove", [{"x": x - 30, "y": y - 40}]),
        ("touchEnd", []),
    ]:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    after = numbers()
    assert after["angle"] > before["angle"] + 0.1
    assert np.hypot(*np.subtract(middle(handle), (x - 30, y - 40))) < 2


@pytest.mark.browser
def test_the_pair_follows_the_arrow_keys(echo):
    page, _, handle, numbers = echo()
    state = state_of(page)
    real = state["radius"] * np.cos(state["angle"])
    imaginary = state["radius"] * np.sin(state["angle"])
    handle.focus()
    for key in ["ArrowLeft"] * 4 + ["ArrowUp"] * 3:
        page.keyboard.press(key)
    real, imaginary = real - 0.04, imaginary + 0.03
    told = numbers()
    assert told["radius"] == pytest.approx(np.hypot(real, imaginary), abs=0.0006)
    assert told["angle"] == pytest.approx(np.arctan2(imaginary, real), abs=0.0011 * np.pi)
    assert float(handle.get_attribute("aria-valuenow")) == pytest.approx(told["radius"], abs=0.0011)


@pytest.mark.browser
def test_beyond_the_unit_circle_the_echo_grows(echo):
    page, figure, _, numbers = echo()
    first = figure.locator("input[type=range]").first
    first.focus()
    page.keyboard.press("End")
    told = numbers()
    assert told["radius"] == 1.1 and told["decay"] == "grows"
    assert "grows by a factor e every 0." in figure.locator(".live-sentence").inner_text()
    page.keyboard.press("Home")
    assert numbers()["decay"] == "0 s"
    assert "gone after one step" in figure.locator(".live-sentence").inner_text()
