/**
 * Boxes that scroll sideways can be reached by keyboard, and boxes that do not are passed over. The theme measures
 * all of them at once, and with them lays out the whole page before it can be read. Here a box is measured when
 * the reader comes near it; until then it can be reached, in case it scrolls.
 */
(() => {
  const BOXES = "pre, .cell_output > .output, .pst-scrollable-table-container, .math-scroll, .figure-scroll";
  const scrolls = (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  /** Let the edge fade behind which there is more, as on a phone no bar is seen. */
  const tell = (box) => {
    box.classList.toggle("more-before", box.scrollLeft > 8);
    box.classList.toggle("more-after", box.scrollWidth - box.clientWidth - box.scrollLeft > 8);
  };
  document.addEventListener("scroll", ({ target }) => {
    if (target instanceof Element && target.matches(BOXES)) tell(target);
  }, { capture: true, passive: true });
  const near = new IntersectionObserver((entries) => {
    const boxes = entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => target);
    const found = boxes.map(scrolls); // all are measured before any is changed: one layout
    boxes.forEach((box, i) => {
      near.unobserve(box);
      if (found[i]) tell(box);
      else box.removeAttribute("tabindex");
    });
  }, { rootMargin: "600px 0px" });
  const again = () => {
    near.disconnect();
    document.querySelectorAll(BOXES).forEach((box) => { box.tabIndex = 0; near.observe(box); });
  };

  let pause = null;
  addEventListener("resize", () => { clearTimeout(pause); pause = setTimeout(again, 300); });
  document.addEventListener("toggle", again, true); // what is unfolded is measured then
  again();
})();
