// Parts that scroll to the side say so: `data-more` names the sides on which something is out of sight, for the styles.
const PARTS = ['.scroll', 'nav'].join(',');

export function mark(root: ParentNode) {
  for (const part of root.querySelectorAll<HTMLElement>(PARTS)) {
    const rest = part.scrollWidth - part.clientWidth, more = rest < 2 ? '' : [part.scrollLeft > 1 ? 'left' : '', part.scrollLeft < rest - 1 ? 'right' : ''].filter(Boolean).join(' ');
    if ((part.dataset.more ?? '') !== more) part.dataset.more = more;
  }
}

/** Keep the marks of all parts below an element, whatever comes, goes, grows or is scrolled; returns what ends that. */
export function edges(root: HTMLElement): () => void {
  let asked = 0;
  const soon = () => { asked ||= requestAnimationFrame(() => { asked = 0; mark(root); }); };
  const watch = new MutationObserver(soon), size = new ResizeObserver(soon);
  watch.observe(root, {childList: true, subtree: true, characterData: true});
  size.observe(root);
  root.addEventListener('scroll', soon, true);
  soon();
  return () => { watch.disconnect(); size.disconnect(); root.removeEventListener('scroll', soon, true); cancelAnimationFrame(asked); };
}
