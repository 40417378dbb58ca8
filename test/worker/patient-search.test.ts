// Patient search: any script, every word, only what the caller may see, and no more rows than the page needs.
import { beforeAll, describe, expect, it } from "vitest";
import { patientTokens } from "../../src/platform/db/schema.ts";
import { withCounters } from "../stores.ts";
import {
  API,
  env,
  newHospital,
  newPerson,
  newWorld,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  type World,
} from "../world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

type About = { first_name: string; last_name?: string; phone?: string; email?: string };
const register = async (about: About, as: RequestOptions["as"] = world.nurse) =>
  (await readJson(await sendRequest(`${API}/patients`, { as, json: about }))).data;
const search = async (q: string, as: RequestOptions["as"] = world.nurse, more = "") => {
  const response = await sendRequest(`${API}/patients/search?q=${encodeURIComponent(q)}${more}`, { as });
  const body = await readJson(response);
  return { status: response.status, ids: (body.data ?? []).map((p: { patient_id: string }) => p.patient_id), body, response };
};

describe("what a search finds", () => {
  it.each([
    ["three letters in Devanagari", { first_name: "आशा", last_name: "वर्मा" }, ["आशा", "आश", "वर्म", "आशा वर्मा", "वर्मा आ"]],
    [
      "Latin, whatever case and accents",
      { first_name: "José", last_name: "Ångström-Müller" },
      ["jos", "JOSÉ", "ang", "ångs", "muller jose"],
    ],
    ["Tamil", { first_name: "தமிழ்செல்வி" }, ["தமி", "தமிழ்"]],
    ["Arabic", { first_name: "فاطمة", last_name: "بيضون" }, ["فاط", "بيض"]],
    ["Chinese, names apart or joined", { first_name: "小明", last_name: "王" }, ["小明", "王小", "王小明", "王 小明"]],
    ["Greek and Cyrillic", { first_name: "Ελένη", last_name: "Фёдорова" }, ["ελε", "ΕΛΈΝΗ", "фед", "ФЁД"]],
    ["apostrophes and joiners", { first_name: "O’Neil", last_name: "क्‍ष" }, ["oneil", "o'ne", "क्ष"]],
    ["names longer than a token", { first_name: "Venkatanarasimharajuvaripeta" }, ["venkatanaras", "venkatanarasimharaju"]],
    [
      "digits in a name, and a final sigma",
      { first_name: "Baby 12", last_name: "Κώστας" },
      ["baby 12", "κωσ", "Κώστας", "ΚΩΣΤΑΣ"],
    ],
    ["full-width letters", { first_name: "Ｋｅｎｊｉ" }, ["ken", "Ｋｅｎ"]],
  ])("%s", async (_, about, queries) => {
    const { patient_id } = await register(about);
    for (const q of queries) expect({ q, ids: (await search(q)).ids }).toEqual({ q, ids: expect.arrayContaining([patient_id]) });
  });

  it("phones by their digits from either end of the country code, and by any ending of four or more", async () => {
    const { patient_id } = await register({ first_name: "Phone", phone: "+91 70123 45689" });
    for (const q of ["+91 70123", "917012", "7012345689", "70123-456", "5689", "12345689", "७०१२३"]) {
      expect({ q, ids: (await search(q)).ids }).toEqual({ q, ids: [patient_id] });
    }
    expect((await search("01234568")).ids).toEqual([]);
  });

  it("e-mail addresses, whole or by the start of the part before the @", async () => {
    const name = `mail${uniqueText()}`;
    const { patient_id } = await register({ first_name: "Somebody", email: `${name}.rao@example.org` });
    for (const q of [
      `${name}.rao@example.org`,
      `${name.toUpperCase()}.RAO@Example.org`,
      name.slice(0, 9),
      `${name}.r`,
      `${name}.rao@ex`,
    ]) {
      expect({ q, ids: (await search(q)).ids }).toEqual({ q, ids: expect.arrayContaining([patient_id]) });
    }
    expect((await search(`${name}.rao@example.com`)).ids).toEqual([]);
  });

  it("a patient by number, before those whose phone begins with it, each once over all pages", async () => {
    const target = await register({ first_name: "Numbered" });
    const number = String(target.patient_number);
    const phone = await register({ first_name: "Called", phone: `${number}${"7".repeat(8)}`.slice(0, 12) });
    for (const limit of [1, 20]) {
      const seen: string[] = [];
      let cursor = "";
      do {
        const { ids, body } = await search(
          number,
          world.nurse,
          `&limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
        );
        seen.push(...ids);
        cursor = body.meta.pagination.next_cursor ?? "";
      } while (cursor);
      expect(seen[0]).toBe(target.patient_id);
      expect(new Set(seen).size).toBe(seen.length);
      if (number.length >= 2) expect(seen).toContain(phone.patient_id);
    }
    const second = await search(number, world.nurse, "&offset=1");
    expect(second.ids).not.toContain(target.patient_id);
  });

  it("follows a changed name, and forgets the old one", async () => {
    const [old, fresh] = [`Old${uniqueText()}`, `New${uniqueText()}`];
    const { patient_id, version } = await register({ first_name: old, phone: "+91 91111 22222" });
    const change = { method: "PATCH", as: world.nurse, json: { first_name: fresh }, headers: { "If-Match": `"${version}"` } };
    expect((await sendRequest(`${API}/patients/${patient_id}`, change)).status).toBe(200);
    expect((await search(old)).ids).toEqual([]);
    expect((await search(fresh)).ids).toEqual([patient_id]);
    expect((await search("91111222")).ids).toContain(patient_id);
    // The loser of a race does not change the winner's tokens.
    expect((await sendRequest(`${API}/patients/${patient_id}`, { ...change, json: { first_name: "Late" } })).status).toBe(412);
    expect((await search(fresh)).ids).toEqual([patient_id]);
  });
});

describe("access in a search", () => {
  it("shows nothing of other hospitals, of a doctor's colleagues, or to patients", async () => {
    const name = `Wall${uniqueText()}`;
    const { patient_id } = await register({ first_name: name });
    const elsewhere = await newPerson("nurse", await newHospital());
    expect((await search(name, elsewhere)).ids).toEqual([]);
    expect((await search(name, world.doctor)).ids).toEqual([]);
    await sendRequest(`${API}/patients/${patient_id}/care-team/${world.doctor.id}`, { method: "PUT", as: world.nurse });
    expect((await search(name, world.doctor)).ids).toEqual([patient_id]);
    expect((await search(name, world.self)).status).toBe(403);
    expect((await search(name, world.admin)).status).toBe(400);
    expect((await search(name, world.admin, `&hospital_id=${world.hospitalId}`)).ids).toEqual([patient_id]);
  });

  it("audits the matches and not the search words", async () => {
    const name = `Trace${uniqueText()}`;
    const { patient_id } = await register({ first_name: name });
    const { response } = await search(name);
    const [row] = await readAuditEvents(response.headers.get("x-request-id") ?? "");
    expect(row).toMatchObject({ event: "patient.search", outcome: "success", subjects: [patient_id] });
    expect(JSON.stringify(row)).not.toContain(name);
    const { results } = await env.DB.prepare("SELECT token FROM patient_tokens WHERE patient_id = ?")
      .bind(patient_id)
      .all<{ token: string }>();
    expect(results.length).toBeGreaterThan(5);
    for (const { token } of results) expect(token).toMatch(/^[A-Za-z0-9_-]{11}$/);
  });

  it.each(["%%", "__", "' OR 1=1 --", "*?[", "\\\\", "💩💩", "x".repeat(200), "शब्दशब्दशब्दशब्दश", "--", "(()", "a".repeat(51)])(
    "answers %j with 200 and nobody it does not name",
    async (q) => {
      const { status, ids } = await search(q);
      expect({ status, ids }).toEqual({ status: 200, ids: [] });
    },
  );

  it.each(["", "-", " . ", "💩", "x".repeat(321)])("refuses %j", async (q) => expect((await search(q)).status).toBe(400));
  it("refuses unknown parameters", async () => expect((await search("asha", world.nurse, "&name=1")).status).toBe(400));
});

describe("what a search costs", () => {
  it("one round trip and the rows of a page, however many match", async () => {
    const crowd = await newWorld();
    const name = `Crowd${uniqueText()}`;
    for (let i = 0; i < 60; i++) await register({ first_name: name, last_name: i % 2 ? "Even" : "Odd" }, crowd.nurse);
    const cost = async (q: string, as: RequestOptions["as"]) => {
      const { env: counted, counts } = withCounters(env);
      const response = await sendRequest(`${API}/patients/search?limit=10&q=${q}`, { as, env: counted });
      return { found: (await readJson(response)).data.length, trips: counts.d1, read: counts.rowsRead };
    };
    const one = await cost(name, crowd.nurse);
    expect(one).toMatchObject({ found: 10, trips: 1 });
    expect(one.read).toBeLessThan(60);
    expect((await cost(`${name}%20odd`, crowd.nurse)).read).toBeLessThan(230);
    // Two words cost as much as the rarer one, whatever their order and length.
    for (const q of ["even%20zzzzzzz", "zzz%20even", `${name}%20zz`]) {
      const rare = await cost(q, crowd.nurse);
      expect({ q, found: rare.found, bounded: rare.read < 100 }).toEqual({ q, found: 0, bounded: true });
    }
    const nothing = await cost("zzzzzzz", crowd.nurse);
    expect(nothing).toMatchObject({ found: 0, trips: 1 });
    expect(nothing.read).toBeLessThan(12);
    // A doctor with one patient reads one, however many others have the name.
    expect((await cost(name, crowd.doctor)).read).toBeLessThan(16);
  });

  it("has tokens for whole patients only", async () => {
    expect(Object.keys(patientTokens)).toEqual(expect.arrayContaining(["hospitalId", "token", "patientId"]));
    const orphans = await env.DB.prepare(
      "SELECT count(*) AS n FROM patient_tokens WHERE patient_id NOT IN (SELECT id FROM patients)",
    ).first<number>("n");
    expect(orphans).toBe(0);
  });
});
