// Says what Gradio leaves unsaid of a part of the page that opens: whether it is open.
const tell = (button) => {
  const open = button.classList.contains("open");
  if (button.getAttribute("aria-expanded") !== String(open)) button.setAttribute("aria-expanded", open);
};
const tellAll = () => document.querySelectorAll("button.label-wrap").forEach(tell);
new MutationObserver(tellAll).observe(document.body, {
  subtree: true, childList: true, attributeFilter: ["class"],
});
