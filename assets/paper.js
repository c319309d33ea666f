/**
 * On paper what is folded lies open, and a browser prints before it has fetched what only that needs. So the faces of
 * formulas in folded parts are fetched when the page has time for it.
 */
(() => {
  const FACES = ".delimsizing, .delim-size1, .delim-size4, .op-symbol, .mathbb, .mathcal, .mathbf, .boldsymbol";
  const idle = globalThis.requestIdleCallback ?? ((then) => setTimeout(then, 1000));
  const fetchFaces = () => {
    const folded = document.querySelectorAll(`details:not([open]) .katex-html :is(${FACES})`);
    const faces = new Set(Array.from(folded, (node) => {
      const { fontStyle, fontWeight, fontFamily } = getComputedStyle(node);
      return `${fontStyle} ${fontWeight} 1em ${fontFamily}`;
    }));
    faces.forEach((face) => document.fonts.load(face).catch(() => {}));
  };
  addEventListener("load", () => idle(fetchFaces));
})();
