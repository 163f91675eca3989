// Boxes of the same image agree, and the button gives the names of all ticked images as a file.
const boxes = [...document.querySelectorAll("input[data-image]")];
const chosen = () => [...new Set(boxes.filter((box) => box.checked).map((box) => box.dataset.image))];
const count = () => {
  const number = chosen().length;
  document.querySelector("output").textContent = `${number} ${number === 1 ? "image is" : "images are"} left out`;
};
const agree = (changed) => {
  for (const box of boxes) if (box.dataset.image === changed.dataset.image) box.checked = changed.checked;
  count();
};
const field = (name) => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
document.addEventListener("change", (event) => agree(event.target));
document.querySelector("button").addEventListener("click", () => {
  const text = ["image", ...chosen().map(field)].join("\n") + "\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "rejected.csv";
  link.click();
  URL.revokeObjectURL(link.href);
});
// A reloaded page keeps ticks in some browsers.
boxes.filter((box) => box.checked).forEach(agree);
count();
