// Import rules of src/: each rule reports exactly the source that breaks it.
import { expect, test } from "vitest";
import { brokenRules, dependentImports } from "../../scripts/lint-imports.mjs";

const rules = (sources: Record<string, string>): string[] => brokenRules(new Map(Object.entries(sources)));

test("an import from a folder below is allowed", () => {
  expect(
    rules({
      "app.ts": 'import { patientRoutes } from "./patients/routes.ts";',
      "patients/routes.ts": 'import { getPatient } from "./patients.ts";',
      "patients/patients.ts": 'import type { Db } from "../platform/db/client.ts";',
      "platform/db/client.ts": "",
    }),
  ).toEqual([]);
});

test.each([
  ["a room above, by type", { "platform/log.ts": 'import type { Actor } from "../access/actor.ts";', "access/actor.ts": "" }],
  ["the map of routes", { "patients/list.ts": 'import { app } from "../app.ts";', "app.ts": "" }],
  [
    "a room above, at run time",
    { "patients/list.ts": 'const later = await import("../devices/devices.ts");', "devices/devices.ts": "" },
  ],
])("an upward import is reported: %s", (_, sources) => {
  expect(rules(sources)).toEqual([expect.stringContaining("rooms import downwards only")]);
});

test("an unknown folder is reported", () => {
  expect(rules({ "helpers/dates.ts": "" })).toEqual([expect.stringContaining("no room of this name")]);
});

test("a cycle is reported once, with its files", () => {
  const sources = {
    "http/a.ts": 'import "./b.ts";',
    "http/b.ts": 'import type { C } from "./c.ts";',
    "http/c.ts": 'import { a } from "./a.ts";',
  };
  expect(rules(sources)).toEqual(["import cycle: http/a.ts > http/b.ts > http/c.ts"]);
});

test("routes contain no SQL and import no other routes", () => {
  expect(
    rules({
      "patients/record-routes.ts": 'import { sql } from "drizzle-orm";\nimport { page } from "./routes.ts";',
      "patients/routes.ts": 'import { database } from "../platform/db/client.ts";',
      "platform/db/client.ts": "",
    }),
  ).toEqual([
    expect.stringContaining("drizzle-orm: routes call functions"),
    expect.stringContaining("only app.ts and protected-routers.ts mount routes"),
    expect.stringContaining("platform/db/client.ts: routes call functions"),
  ]);
});

test("the verifier imports nothing from outside but modules of Node", () => {
  const tree = ["tree.ts", 'import { createHash } from "node:crypto";'] as const;
  expect(dependentImports(new Map([tree, ["log.ts", 'import { root } from "./tree.ts";']]))).toEqual([]);
  for (const outside of ["../src/platform/base64.ts", "@noble/hashes/sha2.js"]) {
    const sources = new Map([tree, ["log.ts", `import { x } from "${outside}";`]]);
    expect(dependentImports(sources)).toEqual([expect.stringContaining("nothing but itself")]);
  }
});
