// The button that compares says how many are chosen, and waits until there are two.

const most = 6;

function count() {
  const form = document.querySelector("#choose");
  const button = form?.querySelector("#compare-chosen");
  if (!button) return;
  const chosen = form.querySelectorAll("[name=compare]:checked").length;
  button.disabled = chosen < 2 || chosen > most;
  button.textContent = chosen > 1 ? `Compare ${chosen} models` : "Compare chosen";
  form.querySelector("#chosen-hint").textContent =
    chosen > most ? `At most ${most} models can be laid over each other.` : chosen === 1 ? "Choose one more." : chosen === 0 ? "Choose two or more models to see their distributions over each other." : "";
}

document.addEventListener("change", (event) => {
  if (event.target.matches("#choose [name=compare]")) count();
});
document.addEventListener("htmx:after:swap", count);
addEventListener("pageshow", count);
count();
