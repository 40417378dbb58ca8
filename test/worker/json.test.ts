// JSON bodies: strict syntax, maximum size and depth, exact media type, and errors that name fields, never values.
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { API, env, newWorld, type RequestOptions, readJson, sendRequest, type World } from "../world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const send = (body: BodyInit, headers: Record<string, string> = {}, options: RequestOptions = {}) =>
  sendRequest(`${API}/patients`, {
    as: world.nurse,
    method: "POST",
    body,
    ...options,
    headers: { "Content-Type": "application/json", ...headers },
  });
const GOOD = '{"first_name":"Asha"}';
const refusal = async (response: Response) => {
  const { status, code } = await readJson(response);
  return [response.status, status, code];
};

describe("syntax", () => {
  it("accepts what RFC 8259 allows", async () => {
    for (const body of [GOOD, `\ufeff${GOOD}`, ` \n\t${GOOD}\r\n`, '{"first_name":"\\u0041sha \\ud83d\\ude00"}']) {
      expect((await send(body)).status, body).toBe(201);
    }
  });

  it("refuses what is no JSON, no UTF-8, or not safe to keep", async () => {
    const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const bad: BodyInit[] = [
      "",
      "{",
      "nul",
      "{'first_name':'x'}",
      '{"first_name":"x",}',
      '{"first_name":"x"} x',
      '{"first_name":NaN}',
      '{"first_name":-Infinity}',
      '{"first_name":0x1}',
      '{"first_name":01}',
      '{"first_name":"a\tb"}',
      '{"first_name":1e999}',
      '{"first_name":-1.5E+400}',
      `{"first_name":${"9".repeat(400)}}`,
      '{"\\u005f_proto__":{"admin":true},"first_name":"x"}',
      '{"first_name":"a\\u0000b"}',
      '{"first_name":"a\\ud800"}',
      '{"a\\u0000":1,"first_name":"x"}',
      '{"__proto__":{"admin":true},"first_name":"x"}',
      '{"symptoms":[{"__proto__":null}],"first_name":"x"}',
      bytes("7b2266697273745f6e616d65223a22c328227d"),
      bytes("7b2266697273745f6e616d65223a22eda080227d"),
      bytes("fffe7b007d00"),
    ];
    for (const body of bad) expect(await refusal(await send(body)), String(body)).toEqual([400, 400, "malformed_json"]);
    expect(Object.hasOwn(Object.prototype, "admin")).toBe(false);
  });

  it("treats other names of prototypes as the unknown fields they are", async () => {
    for (const key of ["constructor", "prototype", "toString", "hasOwnProperty"]) {
      const problem = await readJson(await send(`{"first_name":"x","${key}":{"x":1}}`));
      expect(problem).toMatchObject({ status: 400, errors: [{ path: key, code: "unknown_field" }] });
    }
  });

  it("uses the last of two equal keys, for validation and storage", async () => {
    const { data } = await readJson(await send('{"first_name":"First","first_name":"Second"}'));
    expect(data.first_name).toBe("Second");
    expect((await send('{"first_name":"First","first_name":7}')).status).toBe(400);
  });

  it("ends nesting at 64 levels, also of five million, before it is parsed", async () => {
    const nested = (depth: number) => `{"first_name":"x","symptoms":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expect(await refusal(await send(nested(63)))).toEqual([400, 400, "invalid_request"]);
    expect(await refusal(await send(nested(64)))).toEqual([400, 400, "malformed_json"]);
    expect(await refusal(await send(nested(100_000)))).toEqual([400, 400, "malformed_json"]);
    expect(await refusal(await send("[".repeat(5_000_000)))).toEqual([413, 413, "too_large"]);
    expect((await send(`{"first_name":"${"[".repeat(100)}"}`)).status).toBe(201);
  });
});

describe("size and media type", () => {
  it("is limited to 256 KiB, counted, with any declared length", async () => {
    const sized = (size: number) => GOOD + " ".repeat(size - GOOD.length);
    expect((await send(sized(256 * 1024))).status).toBe(201);
    expect((await send(sized(256 * 1024 + 1))).status).toBe(413);
    expect((await send(GOOD, { "Content-Length": "9999999" })).status).toBe(413);
    expect((await send(GOOD, { "Content-Length": "5" })).status).toBe(400);
    const chunk = new TextEncoder().encode(" ".repeat(64 * 1024));
    let sent = 0;
    const stream = new ReadableStream({
      pull(controller) {
        sent++;
        controller.enqueue(chunk);
        if (sent > 160) controller.close();
      },
    });
    expect((await send(stream)).status).toBe(413);
    expect(sent).toBeLessThan(20);
  });

  it("is application/json in UTF-8 and nothing else", async () => {
    for (const type of ["application/json; charset=utf-8", "APPLICATION/JSON", 'application/json;charset="UTF-8"']) {
      expect((await send(GOOD, { "Content-Type": type })).status, type).toBe(201);
    }
    for (const type of ["text/plain", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "text/json", ""]) {
      expect(await refusal(await send(GOOD, { "Content-Type": type })), type).toEqual([415, 415, "unsupported_media_type"]);
    }
    expect((await send(GOOD, { "Content-Encoding": "gzip" })).status).toBe(415);
    expect((await send(GOOD, { "Content-Encoding": "identity" })).status).toBe(415);
  });
});

describe("fields", () => {
  it("unknown ones are rejected by name, on every route with a body", async () => {
    const { patient, hospitalId, nurse, admin } = world;
    const bodies: [string, string, unknown, { token: string }?][] = [
      ["POST", "/auth/login", { email: "a@example.org", password: "x" }],
      ["POST", "/auth/refresh", {}],
      ["POST", "/auth/bootstrap", { token: "x", email: "a@example.org", full_name: "A", password: "x" }],
      ["POST", "/users", { email: "a@example.org", full_name: "A", password: "x", role: "nurse" }, admin],
      ["POST", "/hospitals", { name: "A" }, admin],
      ["PUT", `/hospitals/${hospitalId}/members/${nurse.id}`, { role: "nurse" }, admin],
      ["POST", "/patients", { first_name: "A" }],
      ["PATCH", `/patients/${patient.id}`, { first_name: "A" }],
      ["POST", "/devices", { kind: "ecg", name: "A" }],
      ["POST", `/devices/${patient.id}/credentials`, { name: "A" }],
      ["POST", `/devices/${patient.id}/assignments`, { patient_id: patient.id }],
    ];
    for (const [method, path, body, as = nurse] of bodies) {
      const json = { ...Object(body), is_admin: true };
      const problem = await readJson(await sendRequest(API + path, { as, method, json, headers: { "If-Match": '"1"' } }));
      expect(problem, path).toMatchObject({ status: 400, code: "invalid_request" });
      expect(problem.errors, path).toEqual([{ path: "is_admin", message: "Unknown field", code: "unknown_field" }]);
    }
  });

  it("a deletion takes no fields", async () => {
    const { nurse, patient } = world;
    const path = `${API}/patients/${patient.id}/notice-delay`;
    const problem = await readJson(await sendRequest(path, { as: nurse, method: "DELETE", json: { x: 1 } }));
    expect(problem).toMatchObject({ status: 400, errors: [{ path: "x", code: "unknown_field" }] });
    expect((await sendRequest(path, { as: nurse, method: "DELETE", json: {} })).status).toBe(403);
  });

  it("ownership and bookkeeping cannot be set from outside", async () => {
    for (const [name, value] of Object.entries({
      hospital_id: world.hospitalId,
      patient_id: world.stranger.id,
      patient_number: 1,
      patient_uid: "x",
      version: 99,
      created_at: "2020-01-01T00:00:00.000Z",
      aadhaar_last4: "0019",
      uid_basis: "staff",
      merged_into: world.stranger.id,
    })) {
      const json = { phone: "+91 98765 00000", [name]: value };
      const headers = { "If-Match": '"1"' };
      const response = await sendRequest(`${API}/patients/${world.patient.id}`, {
        as: world.nurse,
        method: "PATCH",
        json,
        headers,
      });
      expect((await readJson(response)).errors, name).toEqual([{ path: name, message: "Unknown field", code: "unknown_field" }]);
    }
  });

  it("a wrong type names the field and never the value", async () => {
    const values = [7, -1, true, [], {}, ["canary-value"], { canary: "value" }, "canary\u0007value", "x".repeat(30_000)];
    const fields = ["first_name", "gender", "date_of_birth", "phone", "email", "symptoms", "monitoring", "assigned_doctor_id"];
    for (const field of fields) {
      for (const value of values) {
        if (field === "symptoms" && Array.isArray(value)) continue;
        const response = await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: "A", [field]: value } });
        const text = await response.text();
        expect(response.status, `${field} ${JSON.stringify(value).slice(0, 40)}`).toBe(400);
        expect(JSON.parse(text).errors[0].path).toBe(field);
        expect(text).not.toContain("canary");
        expect(text.length).toBeLessThan(2_000);
      }
    }
  });

  it("text comes back as it went in, or is refused: never changed, never a failure", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.string({ unit: "grapheme", maxLength: 60 }),
        async (a, b) => {
          const json = { first_name: "A", notes: a, medical_history: b };
          const response = await sendRequest(`${API}/patients`, { as: world.nurse, json });
          const body = await readJson(response);
          if (response.status === 201) expect(body.data).toMatchObject({ notes: a, medical_history: b });
          else {
            expect(body.code).toBe("malformed_json");
            expect(a.includes("\0") || b.includes("\0") || !(a + b).isWellFormed()).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("names carry any script and no control, direction or line character", async () => {
    for (const name of ["मीना", "O’Brien-Śmith", "张伟", "👩‍⚕️"]) {
      const { data } = await readJson(await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: name } }));
      expect(data.first_name).toBe(name);
    }
    for (const name of ["a\nb", "a\u001b[31m", "a\u202eb", "a\u2028b", "\u2066x", " ", "\u3000", "x".repeat(101)]) {
      const response = await sendRequest(`${API}/patients`, { as: world.nurse, json: { first_name: name } });
      expect(response.status, JSON.stringify(name)).toBe(400);
    }
  });

  it("SQL in a text field is stored as text", async () => {
    const schema = () => env.DB.prepare("SELECT group_concat(sql) AS all_sql FROM sqlite_schema").first<string>("all_sql");
    const before = await schema();
    for (const attack of [
      "x'); DROP TABLE patients;--",
      "' OR 1=1 --",
      "1; SELECT RANDOMBLOB(1000000000)",
      '" UNION SELECT 1',
    ] as const) {
      const json = { first_name: attack, last_name: attack, address: attack, notes: attack, symptoms: [attack] };
      const { data } = await readJson(await sendRequest(`${API}/patients`, { as: world.nurse, json }));
      expect(data).toMatchObject(json);
      for (const path of [
        `/patients/${encodeURIComponent(attack)}`,
        `/patients/${encodeURIComponent(`${world.patient.id}${attack}`)}`,
      ]) {
        expect((await sendRequest(API + path, { as: world.nurse })).status).toBeGreaterThanOrEqual(400);
      }
    }
    expect(await schema()).toBe(before);
  });
});
