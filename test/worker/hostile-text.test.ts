// Published hostile input: JSONTestSuite against the parser, the big list of naughty strings against every text field.
import { v7 } from "uuid";
import { beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { PATH_ALIASES } from "../../src/http/path-aliases.ts";
import { toAlertId } from "../../src/monitoring/patient-object/samples/ids.ts";
import { iso, nextFreeTime } from "../appointment-steps.ts";
import { newPasskeyRow, renewSignIn } from "../authz.factors.ts";
import { subscribeSession } from "../authz.requests.ts";
import { newWebhook } from "../authz.world.ts";
import { newCareExamples } from "../care-examples.ts";
import { newConsent, newScope } from "../consent-rows.ts";
import { newDocument, newText } from "../document-files.ts";
import { newRequestRow } from "../document-request-rows.ts";
import { newErasure } from "../erasure-rows.ts";
import { type ApiDocument, type Json, listOperations, type Operation } from "../fuzz/document.ts";
import { listTextFields, type TextField, withTexts } from "../fuzz/text-fields.ts";
import { isSampled, SAMPLE_SEED, times } from "../long.ts";
import { newFailedDelivery, newNotification } from "../notification-rows.ts";
import { absent } from "../shared-data.ts";
import {
  API,
  env,
  newDevice,
  newPdf,
  newPerson,
  newWard,
  newWorld,
  type RequestOptions,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";
import { buildMultipart } from "./storage-evidence.ts";

/** Requests per operation that has no resource in RESOURCES. */
const ROUNDS = times(5, 24);
/** Of the strings that each field of RESOURCES gets, another selection per resource and day. */
const SHARE = 6;
const bodies = inject("jsonBodies");
const strings = inject("naughtyStrings");

let world: World;
/** For path parameters. */
let ids: Record<string, string>;
let document: ApiDocument;
beforeAll(async () => {
  world = await newWorld();
  document = await readJson(await sendRequest("/openapi.json"));
  const { nurse, manager, patient, hospitalId } = world;
  const post = async (path: string, json: object) =>
    (await readJson(await sendRequest(API + path, { as: path === "/practitioners" ? manager : nurse, json }))).data;
  const headers = { "If-Match": '"1"' };
  await sendRequest(`${API}/patients/${patient.id}`, { as: nurse, method: "PATCH", json: { monitoring: "home" }, headers });
  const spare = await newPerson("nurse", hospitalId);
  const sample = { code: "8867-4", value: 0, unit: "/min", effective_at: new Date().toISOString() };
  const device = await newDevice(nurse, null);
  const { webhookId, messageId } = await newWebhook(hospitalId);
  await renewSignIn(nurse.sessionId);
  const practitionerId: string = (await post("/practitioners", { user_id: spare.id })).practitioner_id;
  ids = {
    webhook_id: webhookId,
    message_id: messageId,
    notification_id: await newNotification(nurse),
    delivery_id: await newFailedDelivery(hospitalId),
    push_subscription_id: await subscribeSession(nurse.sessionId),
    patient_id: patient.id,
    hospital_id: hospitalId,
    user_id: spare.id,
    ward_id: await newWard(manager),
    device_id: device.id,
    passkey_id: await newPasskeyRow(world.nurse.sessionId),
    practitioner_id: practitionerId,
    observation_id: (await post("/observations", { patient_id: patient.id, ...sample })).results[0].observation_id,
    alert_id: toAlertId(patient.id, 1),
    report_id: (await readJson(await uploadReport(nurse, newPdf("hostile"), { patient_id: patient.id }))).data.report_id,
    upload_id: (await readJson(await uploadReport(device, newPdf()))).data.upload_id,
    document_id: await newDocument(nurse, patient.id),
    export_id: v7(),
    event_id: await newEvent(),
    review_id: v7(),
    consent_id: await newConsent(patient.id),
    offer_id: v7(),
    guardianship_id: v7(),
    document_request_id: await newRequestRow({ patientId: patient.id, hospitalId }, nurse.id),
    erasure_id: await newErasure(patient.id, hospitalId, "requested"),
    ...(await newCareExamples(world, practitionerId)),
    emergency_access_id: v7(),
    code: "heart_rate",
  };
});

/** An event of the patient's own log. */
async function newEvent(): Promise<string> {
  await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse });
  const { data } = await readJson(await sendRequest(`${API}/audit-events?event=patient.read`, { as: world.self }));
  return data[0].id;
}

const withIds = (path: string): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const id = ids[name];
    if (id === undefined) throw new Error(`no ${name} in ids, for ${path}`);
    return id;
  });

describe("JSONTestSuite", () => {
  beforeEach(({ skip }) => skip(bodies.length === 0, absent("hostile/json")));

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
    // Strings that no column can store are valid JSON; a rule of their own rejects them.
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

/** One-line fields lose outer whitespace, as documented; long text stays unchanged. */
const told = ({ kind }: Place, text: string) => (kind === "line" || kind === "list" ? text.trim() : text);

/** A text field of a body; of a list or a map, one item is sent. */
type Place = { path: string; kind: "line" | "prose" | "list" | "map"; max: number };
type Resource = {
  path: string;
  method?: "PATCH";
  as: () => { token: string };
  places: Place[];
  required: string[];
  more?: object;
  /** Makes a name unique where it must be; empty elsewhere. */
  suffix?: () => string;
  /** Where the stored text is in `data`, unless under the same name. */
  // biome-ignore lint/suspicious/noExplicitAny: the response is asserted field by field.
  read?: (data: any) => unknown;
  /** Strings with a syntax of their own, which is tested elsewhere. */
  others?: string[];
  /** Of a resource whose fields are parts of a form. */
  encode?: (body: Record<string, unknown>) => RequestOptions;
  /** Makes room before each request where a hospital may have few. */
  before?: () => Promise<unknown>;
};

const line = (path: string, max: number): Place => ({ path, kind: "line", max });
const prose = (path: string, max: number): Place => ({ path, kind: "prose", max });
const list = (path: string, max: number): Place => ({ path, kind: "list", max });

const sent = ({ kind }: Place, text: string) => (kind === "list" ? [text] : kind === "map" ? { answer: text } : text);
const kept = ({ path, kind }: Place, { read }: Resource, data: Record<string, unknown>): unknown => {
  const value = read ? read(data) : data[path];
  return kind === "list" ? Object(value)[0] : kind === "map" ? Object(value).answer : value;
};

/** Texts that come back in the answer. */
const RESOURCES: Record<string, Resource> = {
  passkeys: {
    path: `${API}/auth/passkeys/{passkey_id}`,
    method: "PATCH",
    as: () => world.nurse,
    places: [line("name", 100)],
    required: ["name"],
  },
  patients: {
    path: `${API}/patients`,
    as: () => world.nurse,
    places: [
      line("first_name", 100),
      line("last_name", 100),
      prose("address", 500),
      prose("medical_history", 20_000),
      prose("notes", 20_000),
      list("symptoms", 200),
    ],
    required: ["first_name"],
    // The reason of a duplicate comes back in the history of changes.
    others: ["aadhaar_number", "abha_number", "duplicate_reason"],
  },
  intake: {
    path: `${API}/patients/{patient_id}/intake`,
    as: () => world.nurse,
    places: [
      prose("chief_complaint", 2_000),
      list("symptoms", 200),
      list("allergies", 200),
      list("medications", 200),
      { path: "answers", kind: "map", max: 2_000 },
    ],
    required: [],
  },
  hospitals: {
    path: `${API}/hospitals`,
    as: () => world.admin,
    places: [line("name", 200), prose("address", 500)],
    required: ["name"],
    others: ["country", "time_zone"],
  },
  "import-grants": {
    path: `${API}/hospitals/{hospital_id}/import-grants`,
    as: () => world.admin,
    places: [prose("reason", 500)],
    required: ["reason"],
    more: { bytes: 1000, expires_at: new Date(Date.now() + 86_400_000).toISOString() },
  },
  locations: {
    path: `${API}/locations`,
    as: () => world.manager,
    places: [line("name", 120), prose("address", 500)],
    required: ["name"],
    suffix: () => ` ${uniqueText()}`,
    before: () => env.DB.prepare("DELETE FROM locations").run(),
  },
  appointments: {
    path: `${API}/appointments`,
    as: () => world.nurse,
    places: [line("reason", 500), prose("notes", 2_000)],
    required: [],
    others: ["overbook_reason"],
    before: () => env.DB.prepare("DELETE FROM appointments").run(),
    get more() {
      return { patient_id: world.patient.id, practitioner_id: ids["practitioner_id"], start: iso(nextFreeTime()) };
    },
  },
  wards: {
    path: `${API}/wards`,
    as: () => world.manager,
    places: [line("name", 120)],
    required: ["name"],
    suffix: () => ` ${uniqueText()}`,
  },
  "ward settings": {
    path: `${API}/wards/{ward_id}`,
    method: "PATCH",
    as: () => world.manager,
    places: [line("news2_profile_reason", 500), line("trend_mark_reason", 500)],
    required: ["news2_profile_reason", "trend_mark_reason"],
    others: ["name"],
    more: { news2_profile: "sustained", trend_mark: true },
  },
  practitioners: {
    path: `${API}/practitioners/{practitioner_id}`,
    method: "PATCH",
    as: () => world.manager,
    places: [line("specialty", 120), list("qualifications", 200), line("registration_number", 60), prose("about", 2_000)],
    required: [],
    others: ["languages"],
  },
  devices: {
    path: `${API}/devices`,
    as: () => world.nurse,
    places: [line("name", 120), line("manufacturer", 120), line("model", 120), line("serial_number", 120)],
    required: ["name"],
    more: { kind: "ecg" },
    suffix: () => ` ${uniqueText()}`,
  },
  documents: {
    path: `${API}/documents`,
    as: () => world.nurse,
    places: [line("title", 200), line("author", 200)],
    required: [],
    // An empty field of a form was not filled in: the title is then the name of the type.
    suffix: () => " end",
    encode: (body) => encodeDocument({ ...body, type: "34109-9", patient_id: world.patient.id }),
  },
  "privacy-questions": {
    path: `${API}/privacy-questions`,
    as: () => world.self,
    places: [line("text", 1_000)],
    required: [],
    get more() {
      return { event_id: ids["event_id"] };
    },
    suffix: () => " end",
    // One question per event.
    before: () => env.DB.prepare("DELETE FROM privacy_reviews").run(),
  },
  consents: {
    path: `${API}/consents`,
    as: () => world.nurse,
    places: [line("reason", 500)],
    required: [],
    others: ["access_mode"],
    before: () => env.DB.prepare("UPDATE consents SET answer_until = 1").run(),
    more: { purpose: "CAREMGT", ...newScope() },
    encode: (body) => ({ json: { ...body, patient_id: world.patient.id } }),
  },
  "document requests": {
    path: `${API}/document-requests`,
    as: () => world.nurse,
    places: [prose("description", 1_000)],
    required: ["description"],
    before: () => env.DB.prepare("UPDATE consents SET status = 'expired'").run(),
    encode: (body) => ({ json: { ...body, patient_id: world.patient.id } }),
  },
  "api-keys": {
    path: `${API}/api-keys`,
    as: () => world.manager,
    places: [line("name", 100)],
    required: ["name"],
    more: { scopes: ["patient:read"] },
  },
  webhooks: {
    path: `${API}/webhooks`,
    as: () => world.manager,
    places: [line("description", 200)],
    required: [],
    others: ["url"],
    before: () => env.DB.prepare("DELETE FROM webhooks").run(),
    more: { url: "https://his.example.org/", events: ["alert.raised"] },
  },
  "an account": {
    path: `${API}/auth/me`,
    method: "PATCH",
    as: () => world.doctor,
    places: [line("full_name", 200)],
    required: [],
    others: ["username"],
  },
  "alert comments": {
    path: `${API}/alerts/{alert_id}/comment`,
    as: () => world.nurse,
    places: [line("text", 2_000)],
    required: ["text"],
    read: (data) => data.events.findLast(({ what }: { what: string }) => what === "commented").comment,
  },
};

/** A form with a new file, by hand: FormData changes line ends. */
function encodeDocument(fields: Record<string, unknown>): RequestOptions {
  const parts = Object.entries(fields).map(([name, value]) => ({
    headers: [`Content-Disposition: form-data; name="${name}"`],
    body: String(value),
  }));
  const file = { headers: ['Content-Disposition: form-data; name="file"; filename="a.txt"'], body: newText() };
  const headers = { "Content-Type": "multipart/form-data; boundary=edgecare-boundary" };
  return { body: buildMultipart("edgecare-boundary", [...parts, file]), headers };
}

/** Each of `alone` by itself; the others as many together as the field accepts. */
function grouped(texts: readonly string[], alone: ReadonlySet<string>, max: number): string[][] {
  const groups: string[][] = [];
  let last: string[] = [];
  let length = 0;
  for (const text of texts) {
    if (alone.has(text) || text.length > max) groups.push([text]);
    else if (last.length > 0 && length + 1 + text.length <= max) {
      last.push(text);
      length += 1 + text.length;
    } else {
      last = [text];
      length = text.length;
      groups.push(last);
    }
  }
  return groups;
}

const pathsOf = (errors: { path: string }[]) => new Set(errors.map(({ path }) => path));
/**
 * Puts every text into every field of a resource, several per body and field; what is rejected by field name is retried in
 * halves, down to the single text that is rejected. @returns how many texts each field stored
 */
async function fill(resource: Resource, texts: readonly string[], alone: ReadonlySet<string>): Promise<number[]> {
  const { places, required, method = "POST", more = {}, suffix = () => "" } = resource;
  let version = 1;
  const rests = places.map((place) => grouped(texts, alone, place.max - suffix().length));
  const counts = places.map(() => 0);
  while (rests.some((rest) => rest.length > 0)) {
    const filled = places.flatMap((place, i) => {
      const group = rests[i]?.shift();
      return group ? [{ place, i, group, text: group.join(" ") + suffix() }] : [];
    });
    const plain = required.filter((path) => !filled.some(({ place }) => place.path === path));
    const body = {
      ...more,
      ...Object.fromEntries(plain.map((path) => [path, `Plain${suffix()}`])),
      ...Object.fromEntries(filled.map(({ place, text }) => [place.path, sent(place, text)])),
    };
    const headers = { "If-Match": `"${version}"` };
    const encoded = resource.encode?.(body) ?? { json: body };
    const options = { as: resource.as(), method, ...encoded, ...(method === "PATCH" && { headers }) };
    await resource.before?.();
    const response = await sendRequest(withIds(resource.path), options);
    const answer = await readJson(response);
    if (response.status === 400) {
      const refused = pathsOf(answer.errors);
      const isRefused = ({ path }: Place) => refused.has(path) || [...refused].some((one) => one.startsWith(`${path}.`));
      expect({ body, refused: filled.some(({ place }) => isRefused(place)) }).toEqual({ body, refused: true });
      for (const { place, i, group } of filled) {
        const half = Math.ceil(group.length / 2);
        if (!isRefused(place)) rests[i]?.unshift(group);
        else if (group.length > 1) rests[i]?.unshift(group.slice(0, half), group.slice(half));
      }
      continue;
    }
    expect({ body, status: response.status, ok: response.ok }).toEqual({ body, status: response.status, ok: true });
    version = answer.data.version ?? version;
    for (const { place, i, group, text } of filled) {
      expect({ place, text: kept(place, resource, answer.data) }).toEqual({ place, text: told(place, text) });
      counts[i] = (counts[i] ?? 0) + group.length;
    }
  }
  return counts;
}

/** Every operation of the document with text that a client chooses; aliases have the same handlers. */
function operationsWithText(where: "body" | "query"): { operation: Operation; fields: TextField[] }[] {
  const isAlias = (path: string) => PATH_ALIASES.some((alias) => path === alias.path || path.startsWith(`${alias.path}/`));
  return listOperations(document)
    .filter(({ path }) => !isAlias(path))
    .map((operation) => ({ operation, fields: listTextFields(document, operation, where) }))
    .filter(({ fields }) => fields.length > 0);
}

/** A documented example with the ids of the test, so that it reaches the handler. */
function exampleOf({ path, operation }: Operation): Json {
  const { example, schema } = operation.requestBody?.content["application/json"] ?? {};
  const properties = schema?.properties ?? document.components.schemas[schema?.$ref?.split("/").at(-1) ?? ""]?.properties ?? {};
  const known = Object.entries(ids).filter(([name]) => name in properties && !(name === "code" && path.endsWith("/claim")));
  return { ...Object(example), ...Object.fromEntries(known) };
}

/** `count` of the groups, another selection for each `offset` and day; all of them if they are fewer. */
const selection = <T>(groups: T[], count: number, offset: number): T[] =>
  groups.length <= count ? groups : groups.filter((_, i) => (i + offset + SAMPLE_SEED) % Math.ceil(groups.length / count) === 0);

/**
 * Sends texts in every field of an operation, all fields at once and each with others. Fields that come back in RESOURCES have
 * had every text; here each field has a share of them, so that all fields together have each text many times.
 * @returns how many requests
 */
async function sendInEveryField({ operation, fields }: { operation: Operation; fields: TextField[] }): Promise<number> {
  const groups = fields.map(({ maxLength }, i) =>
    selection(grouped(strings, new Set(), Math.min(maxLength, 2_000)), ROUNDS, i + operation.path.length),
  );
  const rounds = Math.max(...groups.map((list) => list.length));
  let version = 1;
  for (let round = 0; round < rounds; round++) {
    const chosen = fields.map((field, i) => {
      const list = groups[i] ?? [];
      return { field, text: list[round % list.length]?.join(" ") ?? "" };
    });
    const body = withTexts(exampleOf(operation), chosen);
    const { type, value } = encodeBody(operation, body);
    const headers = { ...(type && { "Content-Type": type }), "If-Match": `"${version}"` };
    const as = operation.path.endsWith("/patients/claim") ? world.self : world.admin;
    const response = await sendRequest(withIds(operation.path), { as, method: operation.method, body: value, headers });
    const declared = Object.keys(operation.operation.responses).filter((status) => !status.startsWith("5"));
    const { name } = operation;
    const text = await response.text();
    expect({ name, body, status: String(response.status), text }).toEqual({
      name,
      body,
      status: expect.toBeOneOf(declared),
      text,
    });
    version = Number(/"version":(\d+)/.exec(text)?.[1] ?? version);
  }
  return rounds;
}

/** In the media type that the operation takes; FormData brings its own. */
function encodeBody({ operation }: Operation, body: Json): { type: string | null; value: BodyInit } {
  const types = Object.keys(operation.requestBody?.content ?? {});
  const pairs = Object.entries(Object(body)).map(([name, value]): [string, string] => [name, String(value).toWellFormed()]);
  if (types.includes("application/json")) return { type: "application/json", value: JSON.stringify(body) };
  if (types.includes("application/x-www-form-urlencoded")) {
    return { type: "application/x-www-form-urlencoded", value: new URLSearchParams(pairs).toString() };
  }
  const form = new FormData();
  form.set("file", new File([newPdf()], "ecg.pdf", { type: "application/pdf" }));
  for (const [name, value] of pairs) form.set(name, value);
  return { type: null, value: form };
}

const chunks = (texts: readonly string[], size: number): string[][] =>
  texts.length === 0 ? [] : [texts.slice(0, size), ...chunks(texts.slice(size), size)];

describe("text fields of the document", () => {
  it("of each resource are all sent and compared", () => {
    for (const { path, method = "POST", places, others = [] } of Object.values(RESOURCES)) {
      const found = operationsWithText("body").find(({ operation }) => operation.path === path && operation.method === method);
      const free = found?.fields.filter(({ isFree }) => isFree).map(({ path: [name] }) => name) ?? [];
      expect({ path, names: [...new Set(free)].sort() }).toEqual({
        path,
        names: [...places.map((place) => place.path), ...others].sort(),
      });
    }
  });

  it("are more than a hundred and fifty, the ones of alarms, rules and observations included", () => {
    const names = operationsWithText("body").flatMap(({ operation, fields }) =>
      fields.map(({ path }) => `${operation.name} ${path.join(".")}`),
    );
    expect(names.length).toBeGreaterThan(150);
    expect(names).toEqual(
      expect.arrayContaining([
        `POST ${API}/alerts/{alert_id}/comment text`,
        `PATCH ${API}/observations/{observation_id} reason`,
        `POST ${API}/patients/{patient_id}/alert-rules/preview code`,
        `POST ${API}/wearables/sync metrics.0.timestamp`,
      ]),
    );
  });
});

describe(`${strings.length} naughty strings`, () => {
  beforeEach(({ skip }) => skip(strings.length === 0, absent("hostile/json")));

  /** The fields that a route rejects. */
  const unfit = new Set<string>();

  it("each by itself in a list come back as they went, or are refused by their place in it", async () => {
    const post = (path: string, as: { token: string }, json: object) => sendRequest(path, { as, json });
    for (const list of chunks(strings, 50)) {
      const path = `${API}/patients/${world.patient.id}/intake`;
      const answers = Object.fromEntries(list.map((text, i) => [`a${i}`, text]));
      const first = await post(path, world.nurse, { symptoms: list, answers });
      const refused = first.status === 400 ? pathsOf((await readJson(first)).errors) : new Set<string>();
      const fit = list.filter((_, i) => !refused.has(`symptoms.${i}`));
      for (const text of list) if (!fit.includes(text)) unfit.add(text);
      expect(refused.size).toBe(list.length - fit.length);
      const second = await post(path, world.nurse, { symptoms: fit, answers });
      expect(second.status).toBe(201);
      const { data } = await readJson(second);
      expect(data.symptoms).toEqual(fit.map((text) => text.trim()));
      expect(data.answers).toEqual(answers);
    }
    expect(unfit.size).toBeGreaterThan(0);
    expect(unfit.size).toBeLessThan(strings.length * 0.2);
  });

  it.each(Object.keys(RESOURCES))("in every text field of %s come back as they went, or are refused by name", async (name) => {
    const resource = RESOURCES[name];
    if (!resource) throw new Error(name);
    const k = Object.keys(RESOURCES).indexOf(name);
    const share = strings.filter((_, i) => isSampled(i, k, SHARE));
    for (const [i, count] of (await fill(resource, share, unfit)).entries()) {
      const { path, max = 0 } = resource.places[i] ?? {};
      const short = share.filter((text) => text.length <= max).length;
      expect(count, path).toBeGreaterThan(short * 0.8);
    }
  });

  it("in every other string of a body are refused or stored, whatever the operation", async () => {
    for (const one of operationsWithText("body")) expect(await sendInEveryField(one), one.operation.name).toBeGreaterThan(0);
  });

  it("in every filter and every parameter of a query are refused or find nothing", async () => {
    for (const { operation, fields } of operationsWithText("query")) {
      const upgrade: Record<string, string> = operation.operation.responses["101"] ? { Upgrade: "websocket" } : {};
      for (const { path, maxLength } of fields) {
        const groups = grouped(strings, new Set(), Math.min(maxLength, 500));
        for (const group of selection(groups, ROUNDS / 3, operation.path.length + path.join("").length)) {
          const query = `${path.join("")}=${encodeURIComponent(group.join(" ").toWellFormed())}`;
          const url = `${withIds(operation.path)}?${query}`;
          const response = await sendRequest(url, { as: world.nurse, method: operation.method, headers: upgrade });
          await response.body?.cancel();
          const { status } = response;
          expect({ url, status, odd: status >= 500 }).toEqual({ url, status, odd: false });
        }
      }
    }
  });

  it("in a search, a path, a login and a filter are text like any other", async () => {
    const look = async (path: string) => {
      const { status } = await sendRequest(`${API}${path}`, { as: world.nurse });
      expect({ path, status, odd: ![200, 400, 401, 404, 405].includes(status) }).toEqual({ path, status, odd: false });
    };
    const some = strings.filter((_, i) => isSampled(i, 0, 16));
    for (const text of some) await look(`/patients/${encodeURIComponent(text)}`);
    for (const [g, group] of [...grouped(strings, unfit, 100), ...chunks([...unfit], 1)].entries()) {
      const q = encodeURIComponent(group.join(" "));
      const paths = [`/patients/search?q=${q}`, `/patients?patient_uid=${q}`, `/reports?session_type=${q}`];
      for (const path of paths.filter((_, p) => isSampled(g, p, paths.length))) await look(path);
    }
    for (const [i, text] of some.entries()) {
      // Some have the same normal form, and five attempts would lock that name.
      if (i % 4 === 0) await env.DB.prepare("DELETE FROM login_attempts").run();
      const response = await sendRequest(`${API}/auth/login`, { json: { username: text, password: text } });
      expect({ text, odd: [400, 401].includes(response.status) ? null : response.status }).toEqual({ text, odd: null });
    }
  });
});
