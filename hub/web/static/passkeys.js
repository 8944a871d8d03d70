// Passkeys: asks the hub for a challenge, the browser for an answer, and sends it with the form around the button.
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const described = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const asked = async (form) => {
    const answer = await fetch(form.dataset.options, {
      method: "POST",
      headers: { "X-CSRFToken": form.elements.csrf_token.value, Accept: "application/json" },
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) { throw new Error(said.error || `The hub answered ${answer.status}. Load this page again.`); }
    return { ...said, challenge: bytes(said.challenge) };
  };

  const create = async (options) => {
    options.user.id = bytes(options.user.id);
    options.excludeCredentials = described(options.excludeCredentials);
    const made = await navigator.credentials.create({ publicKey: options });
    return { made, response: { attestationObject: text(made.response.attestationObject) } };
  };

  const get = async (options) => {
    options.allowCredentials = described(options.allowCredentials);
    const made = await navigator.credentials.get({ publicKey: options });
    const { authenticatorData, signature, userHandle } = made.response;
    const response = { authenticatorData: text(authenticatorData), signature: text(signature) };
    return { made, response: userHandle ? { ...response, userHandle: text(userHandle) } : response };
  };

  const explained = (error) => {
    if (error.name === "NotAllowedError") { return "Nothing happened: it was cancelled, took too long, or there is no passkey here."; }
    if (error.name === "InvalidStateError") { return "This device has a passkey for you already."; }
    return error.message;
  };

  const send = async (form) => {
    const says = form.querySelector("[data-passkey-says]");
    says.textContent = "";
    try {
      const { made, response } = await (form.dataset.passkey === "create" ? create : get)(await asked(form));
      response.clientDataJSON = text(made.response.clientDataJSON);
      const answer = { id: made.id, rawId: text(made.rawId), type: made.type, clientExtensionResults: {}, response };
      form.elements.credential.value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      says.textContent = explained(error);
    }
  };

  if (!window.PublicKeyCredential) { return; }
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
  }
})();
