// Published hostile input: JSONTestSuite against the parser, the big list of naughty strings against every text field.
import { beforeAll, describe, expect, inject, it } from "vitest";
import { API, newWorld, readJson, sendRequest, uniqueText, type World } from "../world.ts";

const bodies = inject("jsonBodies");
const strings = inject("naughtyStrings");
const there = bodies.length > 0 && strings.length > 0;

let world: World;
let admin: World["admin"];
beforeAll(async () => {
  world = await newWorld();
  admin = world.admin;
});

describe.runIf(there)("JSONTestSuite", () => {
  const send = async (base64: string) => {
    const headers = { "Content-Type": "application/json" };
    const response = await sendRequest(`${API}/patients`, {
      as: world.nurse,
      method: "POST",
      body: Buffer.from(base64, "base64"),
      headers,
    });
    return { status: response.status, code: (await readJson(response)).code };
  };
  const of = (kind: string) => bodies.filter(({ name }) => name.startsWith(kind));

  it("refuses what is not JSON: 188 of 188", async () => {
    expect(of("n_").length).toBe(188);
    for (const { name, base64 } of of("n_"))
      expect({ name, ...(await send(base64)) }).toEqual({ name, status: 400, code: "malformed_json" });
  });

  it("parses what is: 95 of 95", async () => {
    expect(of("y_").length).toBe(95);
    // Strings that no column can keep are JSON all the same; they are refused by their own rule.
    const unsafe = /escaped_null|null_escape/i;
    let parsed = 0;
    for (const { name, base64 } of of("y_")) {
      const { status, code } = await send(base64);
      expect({ name, status }).toEqual({ name, status: 400 });
      if (code === "invalid_request") parsed++;
      else expect({ name, code, unsafe: unsafe.test(name) }).toEqual({ name, code: "malformed_json", unsafe: true });
    }
    expect(parsed).toBeGreaterThan(90);
  });

  it("fails on none of the rest", async () => {
    for (const { name, base64 } of of("i_")) expect({ name, status: (await send(base64)).status }).toEqual({ name, status: 400 });
  });
});

type Field = { path: string; value: unknown };
type Resource = {
  name: string;
  /** A body that holds the string wherever it may. */
  body: (text: string) => Record<string, unknown>;
  /** What must come back of it. */
  fields: (body: Record<string, unknown>, answer: Record<string, unknown>) => [sent: Field, got: unknown][];
  path: string;
  required: Record<string, () => unknown>;
  as: () => World["admin"];
};

/** One-line fields lose outer spaces, as their description says; prose comes back as it went. */
const trimmed = (value: unknown) => (typeof value === "string" ? value.trim() : value);
const echo =
  (lines: string[], proses: string[] = []): Resource["fields"] =>
  (body, answer) => [
    ...lines.filter((path) => path in body).map((path): [Field, unknown] => [{ path, value: trimmed(body[path]) }, answer[path]]),
    ...proses.filter((path) => path in body).map((path): [Field, unknown] => [{ path, value: body[path] }, answer[path]]),
  ];

const resources = (): Resource[] => [
  {
    name: "patients",
    path: `${API}/patients`,
    as: () => world.nurse,
    body: (t) => ({ first_name: t, last_name: t, address: t, medical_history: t, notes: t }),
    required: { first_name: () => "Plain" },
    fields: echo(["first_name", "last_name"], ["address", "medical_history", "notes"]),
  },
  {
    name: "intake",
    path: `${API}/patients/${world.patient.id}/intake`,
    as: () => world.nurse,
    body: (t) => ({ chief_complaint: t }),
    required: {},
    fields: echo([], ["chief_complaint"]),
  },
  {
    name: "hospitals",
    path: `${API}/hospitals`,
    as: () => admin,
    body: (t) => ({ name: t }),
    required: { name: () => "Plain" },
    fields: echo(["name"]),
  },
  {
    name: "wards",
    path: `${API}/wards`,
    as: () => world.manager,
    body: (t) => ({ name: `${t} ${uniqueText()}` }),
    required: { name: () => `Plain ${uniqueText()}` },
    fields: echo(["name"]),
  },
  {
    name: "devices",
    path: `${API}/devices`,
    as: () => world.nurse,
    body: (t) => ({ kind: "ecg", name: t, manufacturer: t, model: t }),
    required: { name: () => "Plain" },
    fields: echo(["name", "manufacturer", "model"]),
  },
  {
    name: "api-keys",
    path: `${API}/api-keys`,
    as: () => world.manager,
    body: (t) => ({ name: t, scopes: ["patient:read"] }),
    required: { name: () => "Plain" },
    fields: echo(["name"]),
  },
];

describe.runIf(there)(`${strings.length} naughty strings`, () => {
  it.each(["patients", "intake", "hospitals", "wards", "devices", "api-keys"])(
    "in every text field of %s come back as they went, or are refused by name",
    async (name) => {
      const resource = resources().find((r) => r.name === name);
      if (!resource) throw new Error(name);
      let kept = 0;
      for (const text of strings) {
        let body = resource.body(text);
        let response = await sendRequest(resource.path, { as: resource.as(), json: body });
        if (response.status === 400) {
          const { errors } = await readJson(response);
          const refused = new Set<string>(errors.map((e: { path: string }) => e.path));
          expect({ text, refused: refused.size > 0 }).toEqual({ text, refused: true });
          body = Object.fromEntries(Object.entries(body).filter(([key]) => !refused.has(key)));
          for (const [key, value] of Object.entries(resource.required)) if (!(key in body)) body[key] = value();
          response = await sendRequest(resource.path, { as: resource.as(), json: body });
        }
        expect({ text, status: response.status }).toEqual({ text, status: 201 });
        const { data } = await readJson(response);
        for (const [sent, got] of resource.fields(body, data)) expect({ ...sent, text }).toEqual({ ...sent, value: got, text });
        if (Object.values(body).some((value) => typeof value === "string" && value.includes(text))) kept++;
      }
      expect(kept).toBeGreaterThan(strings.length * 0.8);
    },
  );

  it("in a search, a path, a login and a filter are text like any other", async () => {
    for (const text of strings) {
      const q = encodeURIComponent(text);
      const answers = [
        await sendRequest(`${API}/patients/search?q=${q}`, { as: world.nurse }),
        await sendRequest(`${API}/patients/${q}`, { as: world.nurse }),
        await sendRequest(`${API}/patients?patient_uid=${q}`, { as: world.nurse }),
        await sendRequest(`${API}/reports?session_type=${q}`, { as: world.nurse }),
      ].map(({ status }) => status);
      expect({ text, odd: answers.filter((status) => ![200, 400, 401, 404, 405].includes(status)) }).toEqual({ text, odd: [] });
    }
    // Each of these costs a hash.
    for (const text of strings.filter((_, i) => i % 25 === 0)) {
      const response = await sendRequest(`${API}/auth/login`, { json: { username: text, password: text } });
      expect({ text, odd: [400, 401].includes(response.status) ? null : response.status }).toEqual({ text, odd: null });
    }
  });
});
