// The one-time link's token stands in the address's fragment, which servers never see: it moves into the form.
const token = document.querySelector("#token");
if (token instanceof HTMLInputElement && location.hash.length > 1) {
  token.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
