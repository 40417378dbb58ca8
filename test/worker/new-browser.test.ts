// Notices of sign-ins from browsers that a person never used, and the names of clients in the list of sessions.
import { beforeEach, describe, expect, it } from "vitest";
import { clientKind, nameClient } from "../../src/platform/client-names.ts";
import { listNotices, readToken, setVerified } from "../letters.ts";
import { API, env, newHospital, newPerson, PASSWORD, type Person, readJson, sendRequest, uniqueText } from "../world.ts";

const PHRASE = "lanterns over seven hills";
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
let person: Person;
beforeEach(async () => {
  person = await newPerson("patient");
});

type Client = { transport?: "json" | "cookie"; cookie?: string; agent?: string; password?: string };
async function signIn(name: object, { transport = "cookie", cookie, agent, password = PASSWORD }: Client = {}) {
  const headers = { ...(cookie && { Cookie: cookie }), ...(agent && { "User-Agent": agent }) };
  const response = await sendRequest(`${API}/auth/login`, { json: { ...name, password, transport }, headers });
  return { response, cookie: cookieOf(response) };
}
const cookieOf = (response: Response) =>
  response.headers
    .getSetCookie()
    .find((line) => line.includes("edgecare_browser="))
    ?.split(";")[0] ?? "";
const noticesOf = async (id: string) => (await listNotices(id)).filter((kind) => kind === "account.new_browser").length;

describe("a sign-in with cookies", () => {
  it("is told when the browser has no cookie of the account, whatever the name it signs in with", async () => {
    const { email, username } = person;
    const { cookie } = await signIn({ email });
    expect(await noticesOf(person.id)).toBe(1);
    for (const name of [{ email }, { username }]) await signIn(name, { cookie });
    expect(await noticesOf(person.id)).toBe(1);
    const other = await newPerson("patient");
    const theirs = (await signIn({ email: other.email })).cookie;
    await signIn({ email }, { cookie: theirs });
    expect(await noticesOf(person.id)).toBe(2);
  });

  it("is not told after a change of the address", async () => {
    const { cookie } = await signIn({ email: person.email });
    const email = `${uniqueText()}@example.org`;
    await sendRequest(`${API}/auth/email/change`, { as: person, json: { email, password: PASSWORD } });
    const token = await readToken(person.id, "letter.email_change");
    expect((await sendRequest(`${API}/auth/email/verify`, { json: { token } })).status).toBe(200);
    expect((await signIn({ email }, { cookie })).response.status).toBe(200);
    expect(await noticesOf(person.id)).toBe(1);
  });

  it("is not told at the first one of an account, nor in the browser that registered", async () => {
    const manager = await newPerson("hospital_admin", await newHospital());
    const created = { email: `${uniqueText()}@example.org`, full_name: "Nila Rao", role: "nurse", password: PASSWORD };
    const { data } = await readJson(await sendRequest(`${API}/users`, { as: manager, json: created }));
    await signIn({ email: created.email });
    expect(await noticesOf(data.user_id)).toBe(0);
    await signIn({ email: created.email });
    expect(await noticesOf(data.user_id)).toBe(1);

    const json = { email: `${uniqueText()}@example.org`, password: PHRASE, full_name: "Meera Iyer", transport: "cookie" };
    const registered = await sendRequest(`${API}/auth/register/patient`, { json });
    const cookie = cookieOf(registered);
    const id = (await readJson(registered)).data.user_id;
    await signIn({ email: json.email }, { cookie, password: PHRASE });
    expect(await noticesOf(id)).toBe(0);
    await signIn({ email: json.email }, { password: PHRASE });
    expect(await noticesOf(id)).toBe(1);
  });

  it("is told once it succeeded, by mail too, with the id of its session", async () => {
    await setVerified(person.id);
    await signIn({ email: person.email }, { password: "wrong" });
    expect(await noticesOf(person.id)).toBe(0);
    await signIn({ email: person.email });
    const row = await env.DB.prepare("SELECT refs, channel FROM deliveries WHERE user_id = ?").bind(person.id).first();
    expect(row?.["channel"]).toBe("email");
    const { session_id } = JSON.parse(String(row?.["refs"]));
    const sessions = (await readJson(await sendRequest(`${API}/auth/sessions`, { as: person }))).data;
    expect(sessions.map((session: { session_id: string }) => session.session_id)).toContain(session_id);
  });
});

describe("a sign-in without cookies", () => {
  it("is told when no earlier session had a client of the kind", async () => {
    const { email } = person;
    const json = (agent: string) => signIn({ email }, { transport: "json", agent });
    await json(FIREFOX);
    expect(await noticesOf(person.id)).toBe(1);
    await json(FIREFOX.replaceAll("140", "141"));
    expect(await noticesOf(person.id)).toBe(1);
    await json("edgecare-sync/1.0");
    await json("edgecare-sync/1.1.7");
    expect(await noticesOf(person.id)).toBe(2);
    await json(IPHONE);
    expect(await noticesOf(person.id)).toBe(3);
  });
});

describe("the list of sessions", () => {
  it("names browser and system", async () => {
    await signIn({ email: person.email }, { agent: FIREFOX });
    await signIn({ email: person.email }, { agent: "something else" });
    const { data } = await readJson(await sendRequest(`${API}/auth/sessions`, { as: person }));
    const named = data.map(({ browser, system }: { browser: string | null; system: string | null }) => [browser, system]);
    expect(named).toContainEqual(["Firefox", "Windows"]);
    expect(named.filter(([browser]: [string | null]) => browser === null).length).toBeGreaterThanOrEqual(1);
  });

  it("has no name for what is not a browser", () => {
    expect(nameClient(IPHONE)).toEqual({ browser: "Safari", system: "iOS" });
    for (const text of [null, "", " ", "\u0000", "x".repeat(200)]) expect(nameClient(text).system).toBeNull();
    expect(clientKind("tool/1.2 (build 3)")).toBe(clientKind("tool/1.3 (build 4)"));
    expect(clientKind("tool/1.2")).not.toBe(clientKind("other/1.2"));
  });

  it("takes no time worth mentioning for a header of the greatest length", () => {
    const parts = ["Mozilla/5.0 (", "(((((((((", "Version/", "version/1.", "android ", "; ", " like ", "a/", "\t "];
    const start = performance.now();
    for (const part of parts) nameClient(part.repeat(200).slice(0, 200));
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
