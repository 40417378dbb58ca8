// Published hostile input: JSONTestSuite against the parser, the big list of naughty strings against every text field.
import { beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { absent } from "../shared-data.ts";
import { API, env, newWorld, readJson, sendRequest, uniqueText, type World } from "../world.ts";

const bodies = inject("jsonBodies");
const strings = inject("naughtyStrings");

let world: World;
beforeAll(async () => {
  world = await newWorld();
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
const told = ({ kind }: Place, text: string) => (kind === "line" ? text.trim() : text);

/** A text field of a body. */
type Place = { path: string; kind: "line" | "prose"; max: number };
type Resource = {
  path: string;
  as: () => { token: string };
  places: Place[];
  required: string[];
  more?: object;
  /** Makes a name unique where it must be; empty elsewhere. */
  suffix?: () => string;
};

const line = (path: string, max: number): Place => ({ path, kind: "line", max });
const prose = (path: string, max: number): Place => ({ path, kind: "prose", max });

const RESOURCES: Record<string, Resource> = {
  patients: {
    path: `${API}/patients`,
    as: () => world.nurse,
    places: [
      line("first_name", 100),
      line("last_name", 100),
      prose("address", 500),
      prose("medical_history", 20_000),
      prose("notes", 20_000),
    ],
    required: ["first_name"],
  },
  intake: {
    path: `${API}/patients/{patient}/intake`,
    as: () => world.nurse,
    places: [prose("chief_complaint", 2_000)],
    required: [],
  },
  hospitals: { path: `${API}/hospitals`, as: () => world.admin, places: [line("name", 200)], required: ["name"] },
  "import-grants": {
    path: `${API}/hospitals/{hospital}/import-grants`,
    as: () => world.admin,
    places: [prose("reason", 500)],
    required: ["reason"],
    more: { bytes: 1000, expires_at: new Date(Date.now() + 86_400_000).toISOString() },
  },
  wards: {
    path: `${API}/wards`,
    as: () => world.manager,
    places: [line("name", 120)],
    required: ["name"],
    suffix: () => ` ${uniqueText()}`,
  },
  devices: {
    path: `${API}/devices`,
    as: () => world.nurse,
    places: [line("name", 100), line("manufacturer", 100), line("model", 100)],
    required: ["name"],
    more: { kind: "ecg" },
  },
  "api-keys": {
    path: `${API}/api-keys`,
    as: () => world.manager,
    places: [line("name", 100)],
    required: ["name"],
    more: { scopes: ["patient:read"] },
  },
};

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
const post = (path: string, as: { token: string }, json: object) =>
  sendRequest(path.replace("{patient}", world.patient.id).replace("{hospital}", world.hospitalId), { as, json });

/**
 * Puts every text into every field of a resource, several per body and field; what is rejected by field name is retried in
 * halves, down to the single text that is rejected. @returns how many texts each field stored
 */
async function fill(resource: Resource, texts: readonly string[], alone: ReadonlySet<string>): Promise<number[]> {
  const { places, required, more = {}, suffix = () => "" } = resource;
  const rests = places.map((place) => grouped(texts, alone, place.max - suffix().length));
  const kept = places.map(() => 0);
  while (rests.some((rest) => rest.length > 0)) {
    const sent = places.flatMap((place, i) => {
      const group = rests[i]?.shift();
      return group ? [{ place, i, group, text: group.join(" ") + suffix() }] : [];
    });
    const plain = required.filter((path) => !sent.some(({ place }) => place.path === path));
    const body = {
      ...more,
      ...Object.fromEntries(plain.map((path) => [path, `Plain${suffix()}`])),
      ...Object.fromEntries(sent.map(({ place, text }) => [place.path, text])),
    };
    const response = await post(resource.path, resource.as(), body);
    const answer = await readJson(response);
    if (response.status === 400) {
      const refused = pathsOf(answer.errors);
      expect({ body, refused: sent.some(({ place }) => refused.has(place.path)) }).toEqual({ body, refused: true });
      for (const { place, i, group } of sent) {
        const half = Math.ceil(group.length / 2);
        if (!refused.has(place.path)) rests[i]?.unshift(group);
        else if (group.length > 1) rests[i]?.unshift(group.slice(0, half), group.slice(half));
      }
      continue;
    }
    expect({ body, status: response.status }).toEqual({ body, status: 201 });
    for (const { place, i, group, text } of sent) {
      expect({ place, text: answer.data[place.path] }).toEqual({ place, text: told(place, text) });
      kept[i] = (kept[i] ?? 0) + group.length;
    }
  }
  return kept;
}

const chunks = (texts: readonly string[], size: number): string[][] =>
  texts.length === 0 ? [] : [texts.slice(0, size), ...chunks(texts.slice(size), size)];

describe(`${strings.length} naughty strings`, () => {
  beforeEach(({ skip }) => skip(strings.length === 0, absent("hostile/json")));

  /** The fields that a route rejects. */
  const unfit = new Set<string>();

  it("each by itself in a list come back as they went, or are refused by their place in it", async () => {
    for (const list of chunks(strings, 50)) {
      const path = `${API}/patients/{patient}/intake`;
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
    for (const kept of await fill(resource, strings, unfit)) expect(kept).toBeGreaterThan(strings.length * 0.8);
  });

  it("in a search, a path, a login and a filter are text like any other", async () => {
    const look = async (path: string) => {
      const { status } = await sendRequest(`${API}${path}`, { as: world.nurse });
      expect({ path, status, odd: ![200, 400, 401, 404, 405].includes(status) }).toEqual({ path, status, odd: false });
    };
    for (const text of strings) await look(`/patients/${encodeURIComponent(text)}`);
    for (const group of [...grouped(strings, unfit, 100), ...chunks([...unfit], 1)]) {
      const q = encodeURIComponent(group.join(" "));
      for (const path of [`/patients/search?q=${q}`, `/patients?patient_uid=${q}`, `/reports?session_type=${q}`])
        await look(path);
    }
    for (const [i, text] of strings.entries()) {
      // Some have the same normal form, and five attempts would lock that name.
      if (i % 4 === 0) await env.DB.prepare("DELETE FROM login_attempts").run();
      const response = await sendRequest(`${API}/auth/login`, { json: { username: text, password: text } });
      expect({ text, odd: [400, 401].includes(response.status) ? null : response.status }).toEqual({ text, odd: null });
    }
  });
});
