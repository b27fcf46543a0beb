// SPDX-FileCopyrightText: 2026 Wegewart contributors
// SPDX-License-Identifier: Apache-2.0
// An identity provider for the tests: PKCE demanded, confidential client, groups by login name.
// A file says who is in which groups: {"anna": ["pruefer"]}. No password is checked.
// Usage: node provider.js PORT REDIRECT_URI CLIENT_SECRET GROUPS_FILE

import { readFileSync } from "node:fs";

import { Provider } from "oidc-provider";

const [port, redirectUri, secret, groupsFile] = process.argv.slice(2);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "wegewart",
      client_secret: secret,
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"] },
  conformIdTokenClaims: process.env.CLAIMS_IN_ID_TOKEN !== "1",
  async findAccount(_context, id) {
    return {
      accountId: id,
      claims: () => ({
        sub: id,
        name: `${id} aus der Stadt`,
        preferred_username: id,
        groups: JSON.parse(readFileSync(groupsFile, "utf8"))[id],
      }),
    };
  },
});

provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
