// Misused credentials: no token is valid as another kind, in a URL, or appears in storage or logs.
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { captureLogs, expectProblem } from "../token-forge.ts";
import {
  API,
  env,
  newDevice,
  newPatient,
  newPdf,
  newWorld,
  PASSWORD,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";

type Kind = "access" | "refresh" | "link" | "cursor" | "device";
let world: World;
let has: Record<Kind, string>;
let reportId: string;
let otherReport: string;

beforeAll(async () => {
  world = await newWorld();
  await newPatient(world.hospitalId, world.nurse);
  const device = await newDevice(world.nurse, world.patient.id);
  const [{ data: report }, { data: other }] = await Promise.all([
    readJson(await uploadReport(device, newPdf(uniqueText()))),
    readJson(await uploadReport(device, newPdf(uniqueText()))),
  ]);
  reportId = report.report_id;
  otherReport = other.report_id;
  const detail = await readJson(await sendRequest(`${API}/reports/${reportId}`, { as: world.nurse }));
  const list = await readJson(await sendRequest(`${API}/patients?limit=1`, { as: world.nurse }));
  has = {
    access: world.nurse.token,
    refresh: world.nurse.refresh,
    link: new URL(detail.data.download_url).searchParams.get("link") ?? "",
    cursor: list.meta.pagination.next_cursor,
    device: device.token,
  };
  for (const value of Object.values(has)) expect(value.length).toBeGreaterThan(40);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Where each kind is valid, and how other tokens are rejected there. */
const PLACES: Record<Kind, { use: (token: string) => Promise<Response>; refusal: [number, string] }> = {
  access: { use: (token) => sendRequest(`${API}/auth/me`, { as: token }), refusal: [401, "unauthenticated"] },
  refresh: {
    use: (token) => sendRequest(`${API}/auth/refresh`, { json: { refresh_token: token } }),
    refusal: [401, "invalid_refresh_token"],
  },
  link: {
    use: (token) => sendRequest(`${API}/reports/${reportId}/file?link=${encodeURIComponent(token)}`),
    refusal: [403, "link_invalid"],
  },
  cursor: {
    use: (token) => sendRequest(`${API}/patients?limit=1&cursor=${encodeURIComponent(token)}`, { as: world.nurse }),
    refusal: [400, "invalid_cursor"],
  },
  device: { use: (token) => uploadReport({ token }, newPdf(uniqueText())), refusal: [401, "unauthenticated"] },
};
const KINDS: Kind[] = ["access", "refresh", "link", "cursor", "device"];
const PAIRS = KINDS.flatMap((kind) => KINDS.filter((place) => place !== kind).map((place) => [kind, place] as const));

describe("a credential", () => {
  it.each(KINDS)("%s works where it belongs", async (kind) => {
    expect((await PLACES[kind].use(has[kind])).ok).toBe(true);
  });

  it.each(PAIRS)("%s is refused in the place of %s", async (kind, place) => {
    const response = await PLACES[place].use(has[kind]);
    // On routes for people a device is authenticated but denied; on device routes a person is not a device.
    if (kind === "device" && place === "access") return expectProblem(response, 403, "forbidden");
    if (kind === "access" && place === "device") return expectProblem(response, 400, "invalid_request");
    // Longer than any refresh token.
    if (kind === "access" && place === "refresh") return expectProblem(response, 400, "invalid_request");
    await expectProblem(response, ...PLACES[place].refusal);
  });

  it("is rejected elsewhere: a link for another report, a cursor of another caller or list", async () => {
    const link = encodeURIComponent(has.link);
    const cursor = encodeURIComponent(has.cursor);
    await expectProblem(await sendRequest(`${API}/reports/${otherReport}/file?link=${link}`), 403, "link_invalid");
    await expectProblem(
      await sendRequest(`${API}/patients?limit=1&cursor=${cursor}`, { as: world.manager }),
      400,
      "invalid_cursor",
    );
    await expectProblem(await sendRequest(`${API}/reports?limit=1&cursor=${cursor}`, { as: world.nurse }), 400, "invalid_cursor");
  });

  it("of a device is valid only as a whole", async () => {
    const other = await newDevice(world.nurse, world.stranger.id);
    const [, id = "", secret = ""] = /^ecd_([^_]+)_(.+)$/.exec(has.device) ?? [];
    const [, otherId = ""] = /^ecd_([^_]+)_/.exec(other.token) ?? [];
    const last = secret.slice(-1) === "A" ? "B" : "A";
    const wrong = [
      `ecd_${otherId}_${secret}`,
      `ecd_${id}_${secret.slice(0, -1)}${last}`,
      `ecd_${id}_${"A".repeat(43)}`,
      `ecd_${id}_`,
    ];
    for (const token of wrong) await expectProblem(await PLACES.device.use(token), 401, "unauthenticated");
    await sendRequest(`${API}/devices/${other.id}/credentials/${other.credentialId}`, { as: world.nurse, method: "DELETE" });
    await expectProblem(await PLACES.device.use(other.token), 401, "unauthenticated");
  });
});

describe("the Authorization header", () => {
  const me = (Authorization: string) => sendRequest(`${API}/auth/me`, { headers: { Authorization } });

  it("may spell bearer in any case", async () => {
    for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
      expect((await me(`${scheme} ${world.nurse.token}`)).status).toBe(200);
    }
  });

  it("is refused in every other form, with a challenge", async () => {
    const { token } = world.nurse;
    const forms = ["", " ", "Bearer", "Bearer ", token, `Basic ${btoa(`a:${PASSWORD}`)}`, `Token ${token}`, `Bearer\t${token}`];
    forms.push(
      `Bearer  ${token}`,
      `Bearer ${token} x`,
      `Bearer ${token},`,
      `Bearer ${token}\tx`,
      `Bearer "${token}"`,
      `xBearer ${token}`,
    );
    for (const form of forms) await expectProblem(await me(form), 401, "unauthenticated");
    await expectProblem(await sendRequest(`${API}/auth/me`), 401, "unauthenticated");
  });

  it("is refused when it is given twice", async () => {
    const headers = new Headers([
      ["Authorization", `Bearer ${world.nurse.token}`],
      ["Authorization", `Bearer ${world.admin.token}`],
    ]);
    await expectProblem(await me(headers.get("Authorization") ?? ""), 401, "unauthenticated");
  });

  it("is refused without a 5xx when it is huge", async () => {
    for (const size of [8_000, 8_192, 8_193, 100_000])
      await expectProblem(await me(`Bearer ${"x".repeat(size)}`), 401, "unauthenticated");
  });
});

describe("a token outside the header", () => {
  it("in the query counts for nothing, and no log line holds it", async () => {
    const logs = captureLogs();
    for (const name of ["access_token", "token", "bearer", "authorization", "jwt"]) {
      await expectProblem(await sendRequest(`${API}/auth/me?${name}=${world.nurse.token}`), 401, "unauthenticated");
      await expectProblem(await sendRequest(`${API}/patients?${name}=${world.nurse.token}`), 401, "unauthenticated");
    }
    await sendRequest(`${API}/reports/${reportId}/file?link=${has.link}`);
    await sendRequest(`${API}/patients?limit=1&cursor=${encodeURIComponent(has.cursor)}`, { as: world.nurse });
    await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: `${has.refresh}x` } });
    expect(logs()).toContain(`user:${world.nurse.id}`);
    for (const secret of [world.nurse.token, has.link, has.cursor, has.refresh.slice(-43)]) expect(logs()).not.toContain(secret);
  });

  it("in a cookie or a body is no authentication", async () => {
    const cookies = { Cookie: `access_token=${world.nurse.token}; __Secure-edgecare_refresh=${has.refresh}` };
    await expectProblem(await sendRequest(`${API}/auth/me`, { headers: cookies }), 401, "unauthenticated");
    await expectProblem(
      await sendRequest(`${API}/patients`, { json: { access_token: world.nurse.token } }),
      401,
      "unauthenticated",
    );
  });
});

describe("the database", () => {
  it("holds no token, no password and no device secret in any column", async () => {
    const spied = captureLogs();
    const { data } = await readJson(
      await sendRequest(`${API}/auth/login`, { json: { email: world.doctor.email, password: PASSWORD } }),
    );
    const { data: next } = await readJson(
      await sendRequest(`${API}/auth/refresh`, { json: { refresh_token: data.refresh_token } }),
    );
    const tables = await env.DB.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_cf_*'").all<{
      name: string;
    }>();
    let dump = "";
    for (const { name } of tables.results) {
      // biome-ignore lint/plugin: a table's name cannot be bound; it comes from the schema.
      const { results } = await env.DB.prepare(`SELECT * FROM "${name}"`).all();
      dump += JSON.stringify(results);
    }
    const sessionId = data.refresh_token.split("_")[2];
    expect(dump).toContain(sessionId);
    const secrets = [
      PASSWORD,
      data.access_token,
      data.refresh_token.slice(-43),
      next.refresh_token.slice(-43),
      has.device.slice(-43),
    ];
    secrets.push(has.link, world.doctor.email, world.doctor.username);
    for (const secret of secrets) {
      expect(dump).not.toContain(secret);
      expect(spied()).not.toContain(secret);
    }
  });
});
