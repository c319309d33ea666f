/**
 * Boxes that scroll sideways can be reached by keyboard, and boxes that do not are passed over. The theme measures
 * all of them at once, and with them lays out the whole page before it can be read; here it is done bit by bit,
 * whenever the browser has nothing else to do.
 */
(() => {
  const BOXES = "pre, .cell_output > .output, .pst-scrollable-table-container, .math-scroll, .figure-scroll";
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 8 }), 50));
  let waiting = [];

  const measure = (box) => {
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const some = (deadline) => {
    while (waiting.length && deadline.timeRemaining() > 6) measure(waiting.pop());
    if (waiting.length) idle(some);
    else document.documentElement.dataset.measured = "";
  };
  const again = () => {
    const running = waiting.length > 0;
    waiting = [...document.querySelectorAll(BOXES)].reverse();
    delete document.documentElement.dataset.measured;
    if (!running) idle(some);
  };

  let pause = null;
  addEventListener("resize", () => { clearTimeout(pause); pause = setTimeout(again, 300); });
  document.addEventListener("toggle", again, true); // what is unfolded is measured then
  again();
})();
