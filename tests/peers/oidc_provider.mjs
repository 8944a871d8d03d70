// Starts oidc-provider for the tests: node oidc_provider.mjs <its index.js> <port, 0 for any> <where it leads back to>.
// Who signs in as NAME is NAME@company.example. `unverified` has no verified address; `ops.*` are in the group ops.
import { createServer } from "node:http";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { pathToFileURL } from "node:url";

const [, , library, port, back] = process.argv;
const { default: Provider } = await import(pathToFileURL(library));
const key = { ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
  kid: randomBytes(8).toString("hex"), use: "sig", alg: "RS256" };
const server = createServer();

server.listen(Number(port), "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const claims = (id) => ({
    sub: id, email: `${id}@company.example`, email_verified: !id.startsWith("unverified"),
    groups: id.startsWith("ops") ? ["everybody", "ops"] : ["everybody"],
  });
  const provider = new Provider(issuer, {
    clients: [{ client_id: "hub", client_secret: "a-secret-of-the-tests", redirect_uris: [back] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => claims(id) }),
    pkce: { required: () => true },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    jwks: { keys: [key] },
  });
  server.on("request", provider.callback());
  process.stdout.write(`${issuer}\n`);
});
