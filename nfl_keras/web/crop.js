// Draws a rectangle on the photograph and tells its edges, in percent.
let start = null;
const place = (event, box) => [
  Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width)),
  Math.min(100, Math.max(0, (100 * (event.clientY - box.top)) / box.height)),
];
const edges = (event) => {
  const [x, y] = place(event, start.box);
  return {
    left: Math.min(x, start.x), right: Math.max(x, start.x),
    top: Math.min(y, start.y), bottom: Math.max(y, start.y),
  };
};
element.addEventListener("pointerdown", (event) => {
  const image = event.target.closest(".drawn");
  if (!image) return;
  event.preventDefault();
  const box = image.getBoundingClientRect();
  const [x, y] = place(event, box);
  start = { box, x, y, part: image.querySelector(".part") };
  element.setPointerCapture(event.pointerId);
});
element.addEventListener("pointermove", (event) => {
  if (!start) return;
  const { left, right, top, bottom } = edges(event);
  Object.assign(start.part.style, {
    left: `${left}%`, right: `${100 - right}%`, top: `${top}%`, bottom: `${100 - bottom}%`,
  });
});
element.addEventListener("pointerup", (event) => {
  if (!start) return;
  const drawn = edges(event);
  start = null;
  // A mere tap draws nothing, and leaves the part as it was.
  if (drawn.right - drawn.left >= 2 && drawn.bottom - drawn.top >= 2) trigger("drawn", drawn);
});
element.addEventListener("pointercancel", () => (start = null));
