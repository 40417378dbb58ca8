// How people are found: every spelling of a phone number, a name and an address, at hospitals of several countries.
import fc from "fast-check";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { MAX_TOKENS_PER_PATIENT } from "../../src/patients/identity/search-tokens.ts";
import { reindexPatients } from "../../src/patients/reindex.ts";
import { API, env, newHospital, newPerson, type Person, readJson, sendRequest, uniqueText } from "../world.ts";

type Desk = { hospitalId: string; nurse: Person };
async function newDesk(country: string | null): Promise<Desk> {
  const hospitalId = await newHospital();
  await env.DB.prepare("UPDATE hospitals SET country = ? WHERE id = ?").bind(country, hospitalId).run();
  return { hospitalId, nurse: await newPerson("nurse", hospitalId) };
}
let india: Desk;
let britain: Desk;
beforeAll(async () => {
  [india, britain] = await Promise.all([newDesk("IN"), newDesk("GB")]);
});

type About = { first_name?: string; last_name?: string; phone?: string; email?: string };
async function register({ nurse }: Desk, about: About) {
  const answer = await sendRequest(`${API}/patients`, { as: nurse, json: { first_name: "Somebody", ...about } });
  expect({ about, status: answer.status }).toEqual({ about, status: 201 });
  return (await readJson(answer)).data;
}
async function search({ nurse }: Desk, q: string): Promise<string[]> {
  const answer = await sendRequest(`${API}/patients/search?limit=100&q=${encodeURIComponent(q)}`, { as: nurse });
  expect({ q, status: answer.status }).toEqual({ q, status: 200 });
  return (await readJson(answer)).data.map((p: { patient_id: string }) => p.patient_id);
}
async function expectFound(desk: Desk, id: string, queries: string[]) {
  for (const q of queries) expect({ q, found: (await search(desk, q)).includes(id) }).toEqual({ q, found: true });
}

describe("a phone number", () => {
  const OF_INDIA = ["+91 98450 12345", "098450 12345", "0091 98450 12345", "98450 12345", "9845012345", "(098450) 12345"];
  const PASTED = [
    "\u202a+91 98450\u00a012345\u202c",
    "+91\u201398450\u201212345",
    "＋９１ ９８４５０ １２３４５",
    "\u200e९८४५०\u2011१२३४५",
  ];

  it.each([...OF_INDIA, ...PASTED])(
    "typed as %j is found by every spelling at a hospital in India, and stays as typed",
    async (typed) => {
      const desk = await newDesk("IN");
      const { patient_id, phone } = await register(desk, { phone: typed });
      expect(phone).toBe(typed.replace(/[\u200e\u202a\u202c]/g, ""));
      await expectFound(desk, patient_id, [
        ...OF_INDIA,
        ...PASTED,
        "919845012345",
        "+91 984",
        "0984",
        "2345",
        "12345",
        "0 12345",
      ]);
      for (const other of ["+44 98450 12345", "98450 12346", "9845012345 6"]) expect(await search(desk, other)).toEqual([]);
    },
  );

  it("of London is one number at a hospital in Britain", async () => {
    const spellings = ["+44 20 7946 0958", "020 7946 0958", "(020) 7946-0958", "0044 20 79460958", "+44 (0)20 7946 0958"];
    for (const typed of spellings) {
      const desk = await newDesk("GB");
      const { patient_id } = await register(desk, { phone: typed });
      await expectFound(desk, patient_id, [...spellings, "0958", "9460958", "20 7946"]);
    }
  });

  it("of another country is found by its code, with + or 00, and as people there write it", async () => {
    const { patient_id: london } = await register(india, { phone: "+44 20 7946 0958" });
    await expectFound(india, london, ["+44 20 7946 0958", "0044 20 7946 0958", "020 7946 0958", "2079460958", "0958"]);
    const { patient_id: budapest } = await register(india, { phone: "0036 1 234 5678" });
    await expectFound(india, budapest, ["+36 1 234 5678", "0036 12345678", "06 1 234 5678", "1 234 5678", "5678"]);
    const { patient_id: mumbai } = await register(britain, { phone: "+91 22 2345 6789" });
    await expectFound(britain, mumbai, ["(022) 2345-6789", "0091 22 2345 6789", "2223456789"]);
  });

  it("that cannot be parsed is kept as typed and found by its digits", async () => {
    for (const [typed, queries] of [
      ["2345", ["2345"]],
      ["(022) 2345-6789 ext. 412", ["022 2345 6789", "+91 22 2345 6789", "6789", "022 2345 6789 ext. 412"]],
      ["022/2345 6789 x7", ["2223456789", "67897"]],
      ["1800 12 34", ["1800 12", "1234"]],
      ["00000 123", ["00000123", "0123"]],
    ] as const) {
      const desk = await newDesk("IN");
      const { patient_id, phone } = await register(desk, { phone: typed });
      expect(phone).toBe(typed);
      await expectFound(desk, patient_id, [...queries]);
    }
  });

  it.each(["call us", "12", "+", "12345 or 67890", "9".repeat(25), "98450 12345 ext", "<98450>", "1;2;3"])(
    "refuses %j",
    async (phone) => {
      expect((await sendRequest(`${API}/patients`, { as: india.nurse, json: { first_name: "A", phone } })).status).toBe(400);
    },
  );

  it("in any grouping finds its patient by any of its spellings and by any ending (property)", async () => {
    const desk = await newDesk("IN");
    const separator = fc.constantFrom("", " ", "-", "\u00a0", "\u2011", ".", " - ");
    const number = fc.tuple(fc.constantFrom("6", "7", "8", "9"), fc.stringMatching(/^[0-9]{9}$/)).map((parts) => parts.join(""));
    const spelling = (digits: string) =>
      fc
        .tuple(fc.constantFrom("", "0", "+91", "0091", "+91 "), fc.array(separator, { minLength: 10, maxLength: 10 }))
        .map(([prefix, gaps]) => prefix + [...digits].map((digit, i) => (i === 5 ? gaps[i] : "") + digit).join(""));
    const cases = number.chain((digits) =>
      fc.record({
        typed: spelling(digits),
        asked: spelling(digits),
        ending: fc.integer({ min: 4, max: 10 }).map((n) => digits.slice(-n)),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ typed, asked, ending }) => {
        const { patient_id } = await register(desk, { phone: typed });
        await expectFound(desk, patient_id, [asked, ending]);
      }),
      { numRuns: 15 },
    );
  });
});

describe("a name", () => {
  it.each([
    [{ first_name: "Đặng", last_name: "Łukasz" }, ["dang", "lukasz", "DANG lukasz", "Đặng", "łuk"]],
    [{ first_name: "Søren", last_name: "Bjørnæs" }, ["soren", "bjornaes", "Søren", "bjørnæs"]],
    [{ first_name: "Þóra", last_name: "Weiß" }, ["thora", "weiss", "WEISS"]],
    [{ first_name: "Dang", last_name: "Lukasz" }, ["Đặng", "Łukasz"]],
    [{ first_name: "फ़रज़ाना", last_name: "ख़ान" }, ["फरजाना", "फ़रज़ाना", "\u095eर\u095bाना", "खान"]],
    [{ first_name: "फरजाना" }, ["फ़रज़ाना"]],
    [{ first_name: "चाँद" }, ["चाँद", "चांद", "चाद"]],
    [{ first_name: "चांद" }, ["चाँद"]],
    [{ first_name: "হাঁসদা", last_name: "রায়" }, ["হাঁসদা", "হাংসদা", "রায"]],
  ])("%j is found by its plain letters", async (name, queries) => {
    const { patient_id } = await register(india, name);
    await expectFound(india, patient_id, queries);
  });

  const APOSTROPHES = ["'", "’", "‘", "ʼ", "`", "´", "′", "＇", "", " "];
  it.each(APOSTROPHES.map((a) => `D${a}Souza`))("%j is found by every apostrophe and by none", async (last_name) => {
    const desk = await newDesk(null);
    const { patient_id } = await register(desk, { first_name: "Maria", last_name });
    await expectFound(desk, patient_id, [
      ...APOSTROPHES.map((a) => `D${a}Souza`),
      ...APOSTROPHES.map((a) => `maria d${a}sou`),
      "DSOUZA",
    ]);
  });

  it("beside an initial is found by the whole of it", async () => {
    const desk = await newDesk(null);
    const { patient_id } = await register(desk, { first_name: "David", last_name: "Souza" });
    await expectFound(desk, patient_id, ["D Souza", "souza d", "david s"]);
  });

  it("of one letter is found by it, and by no other letter", async () => {
    const desk = await newDesk(null);
    const [v, vera] = [
      await register(desk, { first_name: "V", last_name: "Kumar" }),
      await register(desk, { first_name: "Vera" }),
    ];
    expect(await search(desk, "V")).toEqual([v.patient_id]);
    await expectFound(desk, v.patient_id, ["v", "V Kumar", "kumar v"]);
    expect(await search(desk, "k")).toEqual([]);
    expect(await search(desk, "ve")).toEqual([vera.patient_id]);
    expect((await sendRequest(`${API}/patients/search?q=-`, { as: desk.nurse })).status).toBe(400);
  });
});

describe("the tokens of a patient", () => {
  const count = (id: string) =>
    env.DB.prepare("SELECT count(*) AS n FROM patient_tokens WHERE patient_id = ?").bind(id).first<number>("n");

  it("are about fifty, and never more than their bound", async () => {
    const usual = { first_name: "Asha", last_name: "Verma", phone: "+91 98765 43210", email: "asha.verma@example.org" };
    expect(await count((await register(india, usual)).patient_id)).toBeLessThan(60);
    const widest = {
      first_name: "ﷺ ".repeat(50).trim(),
      last_name: Array.from({ length: 25 }, (_, i) => `w'${i}x`)
        .join("")
        .slice(0, 100),
      phone: "+36 1 234 5678 ext. 1234567",
      email: `${"a.b".repeat(20)}@example.org`,
    };
    const n = (await count((await register(india, widest)).patient_id)) ?? 0;
    expect(n).toBeGreaterThan(60);
    expect(n).toBeLessThanOrEqual(MAX_TOKENS_PER_PATIENT);
  });

  it("written by earlier rules find their patient by the earlier forms, until cron has made them again, in rounds", async () => {
    const desk = await newDesk("IN");
    const made = [
      await register(desk, { first_name: "Łukasz", phone: "022 2345 6789" }),
      ...(await Promise.all(Array.from({ length: 104 }, (_, i) => register(desk, { first_name: `Crowd${i}` })))),
    ];
    const [{ patient_id: old }] = made;
    // The tokens of the earlier rules, which had no letter for ł.
    const { computeQueryTokens } = await import("../../src/patients/identity/search-tokens.ts");
    const { getKeys } = await import("../../src/platform/config.ts");
    const earlier = ["łu", "łuk", "łukasz"].map((text) => ({ kind: "word" as const, text }));
    const tokens = await computeQueryTokens(await getKeys(env), desk.hospitalId, [
      [...earlier, { kind: "phone" as const, text: "02223456789" }],
    ]);
    await env.DB.batch([
      env.DB.prepare("DELETE FROM patient_tokens WHERE patient_id = ?").bind(old),
      env.DB.prepare("INSERT INTO patient_tokens SELECT ?1, value, ?2 FROM json_each(?3)").bind(
        desk.hospitalId,
        old,
        JSON.stringify(tokens.flat()),
      ),
      env.DB.prepare("UPDATE hospitals SET search_reindex_after = 0 WHERE id = ?").bind(desk.hospitalId),
    ]);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 61_000);
    await expectFound(desk, old, ["Łukasz", "łuk", "02223456789"]);
    expect(await search(desk, "lukasz")).toEqual([]);
    const rounds: number[] = [];
    for (;;) {
      const n = await reindexPatients(env, Date.now() + 120_000);
      if (n === 0) break;
      rounds.push(n);
    }
    expect(rounds.filter((n) => n > 0)).toEqual(expect.arrayContaining([100, 5]));
    vi.setSystemTime(Date.now() + 61_000);
    await expectFound(desk, old, ["Łukasz", "lukasz", "022 2345 6789", "+91 22 2345 6789"]);
    const before = await count(old);
    expect(await reindexPatients(env, Date.now() + 120_000)).toBe(0);
    expect(await count(old)).toBe(before);
    vi.useRealTimers();
  });

  it("follow the hospital's country", async () => {
    const desk = await newDesk(null);
    const admin = await newPerson("admin");
    const { patient_id } = await register(desk, { phone: "98450 12345" });
    expect(await search(desk, "+91 98450 12345")).toEqual([]);
    const changed = await sendRequest(`${API}/hospitals/${desk.hospitalId}`, {
      method: "PATCH",
      as: admin,
      json: { country: "IN" },
      headers: { "If-Match": '"1"' },
    });
    expect((await readJson(changed)).data.country).toBe("IN");
    while ((await reindexPatients(env, Date.now() + 180_000)) > 0);
    await expectFound(desk, patient_id, ["+91 98450 12345", "098450 12345"]);
    const other = { method: "PATCH", as: admin, headers: { "If-Match": "*" } };
    for (const country of ["XX", "in", "", "IND"])
      expect((await sendRequest(`${API}/hospitals/${desk.hospitalId}`, { ...other, json: { country } })).status).toBe(400);
  });

  it("leave no old name behind when a name changes that was indexed by earlier rules", async () => {
    const desk = await newDesk("IN");
    const name = `Old${uniqueText()}`;
    const { patient_id, version } = await register(desk, { first_name: name });
    await env.DB.prepare("INSERT INTO patient_tokens VALUES (?, 'stale-token', ?)").bind(desk.hospitalId, patient_id).run();
    const change = { method: "PATCH", as: desk.nurse, json: { first_name: "New" }, headers: { "If-Match": `"${version}"` } };
    expect((await sendRequest(`${API}/patients/${patient_id}`, change)).status).toBe(200);
    expect(await count(patient_id)).toBe(2);
  });
});
