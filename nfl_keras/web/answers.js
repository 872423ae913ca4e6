// Answers a click on a button of the answers, and moves the focus to the head of what it brought.
let byButton = false;
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  const { id, rank } = button.dataset;
  if (button.dataset.do === "why") return trigger("why", { id, rank: Number(rank) });
  byButton = true;
  if (button.dataset.do === "leave") trigger("leave");
  else trigger("pick", { id });
});
watch("value", () => {
  if (byButton) document.querySelector("#found h2").focus();
  byButton = false;
});
