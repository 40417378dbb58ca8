// The stores of a key rotation on the portal's page: each has a name in words, in both languages.
import { expect, it } from "vitest";
import { rotation } from "../../portal/src/service/keys/messages.ts";
import { STORE_NAMES } from "../../src/service/keys/seal-again.ts";

it.each(["en", "hi"] as const)("names every store in %s, and no other", (language) => {
  const PREFIX = "rotation.stored.";
  const named = Object.keys(rotation[language]).filter((key) => key.startsWith(PREFIX));
  expect(named.toSorted()).toEqual(STORE_NAMES.map((name) => PREFIX + name).toSorted());
});
