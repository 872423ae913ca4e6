// Moves the focus to the explanation that came, and closes it.
element.addEventListener("click", (event) => {
  if (!event.target.closest("button")) return;
  props.value = "";
  document.querySelector("#found h2").focus();
});
watch("value", () => element.querySelector("h2")?.focus());
