// Moves the token of the one-time link from the address's fragment, which browsers do not send, into the form.
const token = document.querySelector("#token");
if (token instanceof HTMLInputElement && location.hash.length > 1) {
  token.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
