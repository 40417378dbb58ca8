// Every operation of the OpenAPI document with bad inputs: each answer's status, media type and headers are declared.
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, it } from "vitest";
import { PATH_ALIASES } from "../../src/http/path-aliases.ts";
import { isSampled } from "../long.ts";
import {
  API,
  env,
  newDevice,
  newHospital,
  newPdf,
  newPerson,
  newWard,
  newWorld,
  type Person,
  type RequestOptions,
  readJson,
  sendRequest,
  uploadForm,
  uploadRaw,
  type World,
} from "../world.ts";

type Schema = { type?: string; format?: string; default?: unknown; minimum?: number; maximum?: number };
type Parameter = { name: string; in: string; required?: boolean; schema: Schema };
type Declared = { headers?: Record<string, unknown>; content?: Record<string, unknown> };
type Operation = {
  security: unknown[];
  deprecated?: boolean;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, unknown> };
  responses: Record<string, Declared>;
};
type Entry = { name: string; method: string; path: string; operation: Operation };

let entries: Entry[] = [];
let paths: Record<string, Record<string, Operation>> = {};
let isProblem: (value: unknown) => boolean = () => false;
let world: World;
/** A person whose session may end. */
let leaver: Person;

beforeAll(async () => {
  world = await newWorld();
  leaver = await newPerson("nurse", world.hospitalId);
  const document = await readJson(await sendRequest("/openapi.json"));
  paths = document.paths;
  isProblem = new Ajv2020({ strict: false, validateFormats: false }).compile(document.components.schemas.Problem);
  entries = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
});

const isAlias = ({ path }: Entry) => PATH_ALIASES.some((alias) => path === alias.path || path.startsWith(`${alias.path}/`));
/** Uploads read their body after the access check. */
const isUpload = ({ operation }: Entry) =>
  ["multipart/form-data", "application/pdf"].some((type) => type in (operation.requestBody?.content ?? {}));
const isProtected = ({ operation }: Entry) => operation.security.length > 0;

/** Headers of all responses, which are no part of an operation's contract. */
const COMMON_HEADERS =
  /^(content-(type|length|security-policy)|cache-control|vary|date|pragma|strict-transport-security|x-(content-type-options|frame-options|request-id|xss-protection|accel-buffering|dns-prefetch-control|download-options|permitted-cross-domain-policies)|referrer-policy|cross-origin-\w+-policy|origin-agent-cluster|ratelimit-policy|access-control-\S+)$/;

/** Checks an answer against the declaration of the operation. @returns its body, if it is JSON */
async function checkDeclared(entry: Entry, response: Response, input: string) {
  const at = `${entry.name} with ${input} answers ${response.status}`;
  const declared = entry.operation.responses[String(response.status)];
  expect(response.status, at).toBeLessThan(500);
  expect(declared, `${at}: undeclared`).toBeDefined();
  const names = new Set(Object.keys(declared?.headers ?? {}).map((name) => name.toLowerCase()));
  const undeclared = [...response.headers.keys()].filter((name) => !COMMON_HEADERS.test(name) && !names.has(name));
  expect(undeclared, at).toEqual([]);
  for (const name of ["allow", "etag", "location", "deprecation", "sunset", "link", "www-authenticate"]) {
    expect(response.headers.has(name), `${at}: ${name}`).toBe(names.has(name));
  }
  const type = response.headers.get("content-type")?.split(";")[0] ?? "";
  if (declared?.content) expect(Object.keys(declared.content), at).toContain(type);
  else expect(type, at).toBe("");
  response.webSocket?.accept();
  response.webSocket?.close();
  if (!type.includes("json")) {
    await response.body?.cancel();
    return null;
  }
  const body = await readJson(response);
  if (type === "application/problem+json") expect(isProblem(body), at).toBe(true);
  return body;
}

const randomId = () => crypto.randomUUID();
const fill = (path: string, value: (name: string) => string = randomId) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => value(name));
const callerOf = ({ path }: Entry) => (path.endsWith("/auth/logout") ? leaver : world.nurse);
const ask = (entry: Entry, options: RequestOptions = {}, url = fill(entry.path)) =>
  sendRequest(url, {
    as: callerOf(entry),
    ...options,
    method: entry.method,
    headers: { "If-Match": '"1"', ...options.headers },
  });

const EMPTY = new Uint8Array(0);
const FORM = "application/x-www-form-urlencoded";
const JSON_TYPE = "application/json";
type BadBody = {
  input: string;
  body: BodyInit;
  type?: string;
  encoding?: string;
  refused: { json: string; none: string | null };
};
/** `refused`: the error where JSON is required, and where no body is described. */
const BODIES: BadBody[] = [
  { input: "nothing", body: EMPTY, refused: { json: "malformed_json", none: null } },
  { input: "an empty form", body: EMPTY, type: FORM, refused: { json: "malformed_json", none: null } },
  { input: "empty JSON", body: EMPTY, type: JSON_TYPE, refused: { json: "malformed_json", none: null } },
  { input: "half an object", body: "{", type: JSON_TYPE, refused: { json: "malformed_json", none: "malformed_json" } },
  { input: "null", body: "null", type: JSON_TYPE, refused: { json: "invalid_request", none: "invalid_request" } },
  { input: "an array", body: "[1]", type: JSON_TYPE, refused: { json: "invalid_request", none: "invalid_request" } },
  {
    input: "an unknown field",
    body: '{"nope":1}',
    type: JSON_TYPE,
    refused: { json: "invalid_request", none: "invalid_request" },
  },
  {
    input: "text",
    body: "text",
    type: "text/plain",
    refused: { json: "unsupported_media_type", none: "unsupported_media_type" },
  },
  { input: "bytes", body: new Uint8Array([1]), refused: { json: "unsupported_media_type", none: "unsupported_media_type" } },
  {
    input: "encoded JSON",
    body: "{}",
    type: JSON_TYPE,
    encoding: "gzip",
    refused: { json: "unsupported_media_type", none: "unsupported_media_type" },
  },
  { input: "too much", body: " ".repeat(256 * 1024 + 1), type: JSON_TYPE, refused: { json: "too_large", none: "too_large" } },
];
const toRequest = ({ body, type, encoding }: BadBody): RequestOptions => ({
  body,
  headers: { ...(type && { "Content-Type": type }), ...(encoding && { "Content-Encoding": encoding }) },
});

describe("bodies", () => {
  it("are described as required wherever they are described", () => {
    for (const { name, operation } of entries) {
      if (operation.requestBody) expect(operation.requestBody.required, name).toBe(true);
    }
  });

  it("that are missing, malformed, of another type or not described are refused as declared, on every operation", async () => {
    for (const [e, entry] of entries.entries()) {
      if (isAlias(entry) || ["GET", "DELETE"].includes(entry.method)) continue;
      for (const bad of BODIES.filter((_, b) => isSampled(e, b, 5))) {
        const body = await checkDeclared(entry, await ask(entry, toRequest(bad)), bad.input);
        const content = entry.operation.requestBody?.content;
        if (content && !content[JSON_TYPE]) continue;
        const expected = content ? bad.refused.json : bad.refused.none;
        if (expected) expect(body?.code, `${entry.name} with ${bad.input}`).toBe(expected);
        else expect([400, 415], `${entry.name} with ${bad.input}: ${JSON.stringify(body)}`).not.toContain(body?.status);
      }
      const anonymous = await ask(entry, { as: null, body: EMPTY });
      const problem = await checkDeclared(entry, anonymous, "nothing, anonymously");
      const expected = entry.operation.requestBody ? 400 : 200;
      expect(anonymous.status, `${entry.name}: ${JSON.stringify(problem)}`).toBe(isProtected(entry) ? 401 : expected);
    }
  });

  it("of reads and deletes are not read", async () => {
    for (const [e, entry] of entries.entries()) {
      if (isAlias(entry) || entry.method !== "DELETE") continue;
      for (const bad of BODIES.slice(0, 4).filter((_, b) => isSampled(e, b, 4)))
        await checkDeclared(entry, await ask(entry, toRequest(bad)), bad.input);
    }
  });
});

describe("paths and methods", () => {
  it("each path answers 405 with Allow for the methods that it lacks, also without a token if it is public", async () => {
    for (const [p, [path, item]] of Object.entries(paths).entries()) {
      const has = new Set(Object.keys(item).map((method) => method.toUpperCase()));
      const isPublic = Object.values(item).every(({ security }) => security.length === 0);
      const missing = ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) => !has.has(method));
      for (const method of missing.filter((_, m) => isSampled(p, m, Math.min(3, missing.length)))) {
        for (const as of isPublic ? [world.nurse, null] : [world.nurse]) {
          const response = await sendRequest(fill(path), { as, method, body: method === "GET" ? undefined : EMPTY });
          expect([response.status, response.headers.get("content-type")], `${method} ${path}`).toEqual([
            405,
            "application/problem+json",
          ]);
          const allowed = response.headers.get("allow")?.split(", ") ?? [];
          expect(allowed.filter((name) => !["HEAD", "OPTIONS"].includes(name)).sort(), `${method} ${path}`).toEqual(
            [...has].sort(),
          );
          expect((await readJson(response)).code).toBe("method_not_allowed");
        }
      }
    }
  });

  it("parameters that are no ids, and ids of nothing, are refused as declared", async () => {
    const values = [
      randomId(),
      randomId().toUpperCase(),
      "x",
      "0",
      "-1",
      "1e3",

      "%00",
      "%25",
      "é",
      "x".repeat(500),
    ];
    for (const [e, entry] of entries.filter(({ path }) => path.includes("{")).entries()) {
      for (const value of (isAlias(entry) ? values.slice(0, 2) : values).filter((_, v) => isSampled(e, v, 5))) {
        const response = await ask(
          entry,
          { body: entry.method === "GET" ? undefined : EMPTY },
          fill(entry.path, () => value),
        );
        await checkDeclared(entry, response, value.slice(0, 40));
        expect(response.ok, `${entry.name} ${value}`).toBe(false);
      }
    }
  });
});

describe("query parameters", () => {
  it("that are unknown or repeated are refused on every operation", async () => {
    const queries = [
      ["nope=1", "unknown_field"],
      ["=1", "unknown_field"],
      ["nope=1&nope=2", "repeated"],
    ];
    for (const [e, entry] of entries.filter((one) => !isUpload(one)).entries()) {
      for (const [query, code] of queries.filter((_, q) => isSampled(e, q, 3))) {
        const { code: error, errors } = await checkDeclared(
          entry,
          await ask(entry, {}, `${fill(entry.path)}?${query}`),
          `?${query}`,
        );
        expect([error, errors?.map((e: { code: string }) => e.code)], entry.name).toEqual(
          entry.path === "/api/token" ? [undefined, undefined] : ["invalid_request", expect.arrayContaining([code])],
        );
      }
    }
  });

  const ofType = (matches: (schema: Schema) => boolean) =>
    entries.flatMap((entry) =>
      (entry.operation.parameters ?? [])
        .filter((parameter) => parameter.in === "query" && matches(parameter.schema))
        .map((parameter) => ({ entry, ...parameter })),
    );

  it("that are integers have digits only, within the documented bounds", async () => {
    const integers = ofType(({ type }) => type === "integer");
    expect(integers.length).toBeGreaterThan(40);
    for (const [i, { entry, name, schema }] of integers.entries()) {
      const { minimum = Number.NaN, maximum = Number.NaN } = schema;
      expect(maximum, `${entry.name} ${name}`).toBeGreaterThan(minimum);
      const values = ["1.0", "1e1", "%2B1", "%201", "0x1", "", "-1", String(minimum - 1), String(BigInt(maximum) + 1n)];
      for (const value of values.filter((_, v) => isSampled(i, v, 5))) {
        const response = await ask(entry, {}, `${fill(entry.path)}?${name}=${value}`);
        const { errors } = await checkDeclared(entry, response, `${name}=${value}`);
        // An offset beyond its documented maximum has an error of its own, after the other parameters.
        if (name === "offset" && value === String(BigInt(maximum) + 1n)) continue;
        expect(
          errors?.map((e: { path: string }) => e.path),
          `${entry.name} ${name}=${value}`,
        ).toContain(name);
      }
    }
  });

  it("that are ids of what the caller may not see are answered as declared", async () => {
    const elsewhere = await newHospital();
    const faults: string[] = [];
    const filters = ofType(({ format }) => format === "uuid").filter(({ entry }) => entry.method === "GET" && !isAlias(entry));
    expect(filters.length).toBeGreaterThan(20);
    for (const { entry, name } of filters) {
      for (const as of [world.nurse, world.manager]) {
        const response = await ask(entry, { as }, `${fill(entry.path)}?${name}=${elsewhere}`);
        if (!entry.operation.responses[String(response.status)]) faults.push(`${entry.name}?${name} ${response.status}`);
        response.webSocket?.accept();
        response.webSocket?.close();
        await response.body?.cancel();
      }
    }
    expect([...new Set(faults)]).toEqual([]);
  });

  it("that name a hospital are declared with 404", () => {
    const named = entries.filter(({ operation }) =>
      operation.parameters?.some(({ name, in: at }) => name === "hospital_id" && at === "query"),
    );
    expect(named.length).toBeGreaterThan(10);
    for (const { name, operation } of named) expect(Object.keys(operation.responses), name).toContain("404");
  });

  it("that have a default say so", () => {
    const names = ["limit", "offset", "days"];
    for (const { entry, name, schema } of ofType(({ type }) => type === "integer")) {
      if (names.includes(name)) expect(schema.default, `${entry.name} ${name}`).toEqual(expect.any(Number));
    }
  });

  it("that are times have a year of four digits in UTC", async () => {
    const times = ofType(({ format }) => format === "date-time");
    expect(times.length).toBeGreaterThan(15);
    for (const [t, { entry, name }] of times.filter((one) => !isUpload(one.entry)).entries()) {
      const values = ["9999-12-31T23:59:59-00:01", "0000-12-31T23:59:59Z", "+010000-01-01T00:00:00Z", "2026-02-30T00:00:00Z"];
      for (const value of values.filter((_, v) => isSampled(t, v, 2))) {
        const query = `${name}=${encodeURIComponent(value)}`;
        const { errors } = await checkDeclared(entry, await ask(entry, {}, `${fill(entry.path)}?${query}`), query);
        expect(
          errors?.map((e: { path: string }) => e.path),
          `${entry.name} ${query}`,
        ).toContain(name);
      }
    }
  });

  it("a live view resumes after a number that JavaScript can hold", async () => {
    for (const [since, status] of [
      ["9007199254740991", 426],
      ["9007199254740992", 400],
      ["9999999999999999", 400],
    ]) {
      const response = await sendRequest(`${API}/live?since=${since}`, { as: world.nurse });
      expect(response.status, String(since)).toBe(status);
    }
  });
});

it("an upload with an unknown query parameter is refused, in each form", async () => {
  const { nurse, patient } = world;
  const query = `?patient_id=${patient.id}&nope=1`;
  for (const sent of [
    await uploadRaw(nurse, newPdf(), query),
    await sendRequest(`${API}/reports${query}`, { as: nurse, body: uploadForm(newPdf()) }),
    await sendRequest(`${API}/reports/batch?nope=1`, { as: nurse, body: uploadForm(newPdf()) }),
  ]) {
    const { status, errors } = await readJson(sent);
    expect([status, errors]).toEqual([400, [{ path: "nope", message: "Unknown field", code: "unknown_field" }]]);
  }
});

describe("dot segments", () => {
  /** The document's operation that a URL reaches. */
  const reached = (method: string, pathname: string) =>
    entries.filter((entry) => {
      const pattern = entry.path.replace(/\{\w+\}/g, "[^/]+");
      return entry.method === method && new RegExp(`^${pattern}/?$`).test(pathname);
    });

  it("change no resource that the path does not name", async () => {
    const ids: Record<string, string> = {
      ward_id: await newWard(world.manager),
      hospital_id: world.hospitalId,
      patient_id: world.stranger.id,
      device_id: (await newDevice(world.nurse, null)).id,
      user_id: world.doctor.id,
      code: "heart_rate",
    };
    const tried: string[] = [];
    const targets = entries.filter(({ method, path }) => method !== "GET" && path.includes("{"));
    for (const [e, entry] of targets.entries()) {
      const names = [...entry.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
      for (const dotted of names) {
        for (const dots of ["%2e%2e", "%2e", "..", ".%2E"].filter((_, d) => isSampled(e, d, 2))) {
          const url = fill(entry.path, (name) => (name === dotted ? dots : (ids[name] ?? randomId())));
          const { pathname } = new URL(url, "http://localhost");
          for (const other of reached(entry.method, pathname)) tried.push(`${entry.name} as ${other.name}`);
          for (const as of [world.manager, world.admin]) {
            const response = await ask(entry, { as, json: {}, headers: { "If-Match": "*" } }, url);
            expect([400, 404, 405], `${entry.name} at ${url}: ${response.status}`).toContain(response.status);
          }
        }
      }
    }
    expect(tried).toContain(`DELETE ${API}/wards/{ward_id}/alert-rules/{code} as DELETE ${API}/wards/{ward_id}`);
    for (const [path, id] of [
      ["wards", ids["ward_id"]],
      ["patients", ids["patient_id"]],
      ["devices", ids["device_id"]],
      ["hospitals", ids["hospital_id"]],
    ]) {
      const { data } = await readJson(await sendRequest(`${API}/${path}/${id}`, { as: world.manager }));
      expect([data.version, data.is_active], path).toEqual([1, true]);
    }
  });
});

it("in production, a request without https is answered as declared", async () => {
  const production = { ...env, WEBHOOK_TEST_ORIGINS: "", PUSH_TEST_ORIGINS: "", ENVIRONMENT: "production" };
  for (const entry of entries) {
    const response = await ask(entry, { env: production, as: null }, `http://clinic.example.org${fill(entry.path)}`);
    expect(response.status, entry.name).toBe(entry.method === "GET" ? 308 : 403);
    await checkDeclared(entry, response, "http");
  }
});

/** The format that the query names decides, and the type of the document. */
const SEVERAL_FORMATS = [
  `GET ${API}/audit-events/export`,
  `GET ${API}/documents/{document_id}/file`,
  `GET ${API}/reports/{report_id}/export`,
];

it("no answer of the document's operations has two media types for one status", () => {
  for (const { name, operation } of entries) {
    if (SEVERAL_FORMATS.includes(name) || name.endsWith("/export/{export_id}/file")) continue;
    for (const [status, { content }] of Object.entries(operation.responses)) {
      expect(Object.keys(content ?? {}).length, `${name} ${status}`).toBeLessThan(2);
    }
    expect(Object.keys(operation.requestBody?.content ?? {}).length, `${name} body`).toBeLessThan(2);
  }
});
