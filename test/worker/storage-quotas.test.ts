// Every writing route of the OpenAPI document counts its bytes against the quotas of account and hospital, or says why not.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UNCOUNTED_EVENTS } from "../../src/access/storage-charges.ts";
import { PATH_ALIASES } from "../../src/http/path-aliases.ts";
import { utcDayOf } from "../../src/platform/time.ts";
import { expectedDecision, relationTo, type Target } from "../authz.matrix.ts";
import { renewResources } from "../authz.renewal.ts";
import { callRoute } from "../authz.requests.ts";
import { ROUTES } from "../authz.routes.ts";
import { type AuthzFixture, createFixture, createSpareSession, type ResourceIds, type TestCaller } from "../authz.world.ts";
import { isSampled } from "../long.ts";
import { API, env, newPerson, readJson, sendRequest, uniqueText } from "../world.ts";
import { deleteUnreferencedFiles } from "./storage-evidence.ts";

/** Routes that no quota refuses, with the reason. */
const UNCOUNTED: Record<string, string> = {
  "POST /api/token": "a session replaces an older one; attempts are limited",
  "POST /api/v1/auth/login": "a session replaces an older one; attempts are limited",
  "POST /api/v1/auth/refresh": "replaces a row",
  "POST /api/v1/auth/bootstrap": "once per deployment",
  "POST /api/v1/auth/register": "one row per account; limited per address",
  "POST /api/v1/auth/register/patient": "counts against the hospital of self-registered patients: tested below",
  "POST /api/v1/auth/invitations/accept": "one account per invitation, which counts",
  "POST /api/v1/auth/password/reset": UNCOUNTED_EVENTS["user.password_reset"] ?? "",
  "POST /api/v1/auth/login/second-step": "a session replaces an older one; attempts are limited",
  "POST /api/v1/emergency-access": UNCOUNTED_EVENTS["emergency_access.start"] ?? "",
  "POST /api/v1/emergency-access/:emergency_access_id/end": UNCOUNTED_EVENTS["emergency_access.end"] ?? "",
  "POST /api/v1/auth/passkey/options": "stores nothing",
  "POST /api/v1/auth/passkey/login": "a session replaces an older one; attempts are limited",
  "POST /api/v1/auth/passkeys/options": "stores nothing",
  "POST /api/v1/auth/step-up/options": "stores nothing",
  "POST /api/v1/auth/step-up": "replaces a value; attempts are limited",
  "POST /api/v1/auth/password/forgot": "one mail per account and quarter of an hour",
  "POST /api/v1/auth/email/verify": "once per link, which counts",
  "POST /api/v1/users/:user_id/factors/reset": "ends factors",
  "POST /api/v1/notification-settings/test": "20 per channel and day",
  "POST /api/v1/intake/open": "stores nothing but the audit event of a read",
  "POST /api/v1/intake/submit": "once per link, which counts; the answers are counted by intake.test.ts",
  "POST /api/v1/appointments/:appointment_id/cancel": UNCOUNTED_EVENTS["appointment.cancel"] ?? "",
  "POST /api/v1/appointments/:appointment_id/no-show": UNCOUNTED_EVENTS["appointment.noshow"] ?? "",
  "POST /api/v1/sms/status": "replaces the status of a delivery",
  "POST /api/v1/devices/claim": "one credential per code, which counts",
  "POST /api/v1/auth/password/change": UNCOUNTED_EVENTS["user.password_change"] ?? "",
  "POST /api/v1/auth/switch-hospital": UNCOUNTED_EVENTS["session.switch"] ?? "",
  "POST /api/v1/users/:user_id/unlock": UNCOUNTED_EVENTS["user.unlock"] ?? "",
  "POST /api/v1/hospitals/:hospital_id/import-grants": UNCOUNTED_EVENTS["import_grant.create"] ?? "",
  "PUT /api/v1/hospitals/:hospital_id/legal-hold": UNCOUNTED_EVENTS["legal_hold.set"] ?? "",
  "PUT /api/v1/hospitals/:hospital_id/retention": UNCOUNTED_EVENTS["retention.update"] ?? "",
  "POST /api/v1/patients/:patient_id/hold": UNCOUNTED_EVENTS["patient_hold.set"] ?? "",
  "POST /api/v1/patients/:patient_id/hold/release": UNCOUNTED_EVENTS["patient_hold.release"] ?? "",
  "POST /api/v1/patients/:patient_id/erasure": UNCOUNTED_EVENTS["erasure.request"] ?? "",
  "POST /api/v1/admin/erasures/apply": "deletes data; once per restored record",
  "POST /api/v1/erasures/:erasure_id/approve": UNCOUNTED_EVENTS["erasure.approve"] ?? "",
  "POST /api/v1/erasures/:erasure_id/reject": UNCOUNTED_EVENTS["erasure.reject"] ?? "",
  "POST /api/v1/devices/:device_id/assignments": UNCOUNTED_EVENTS["device.assign"] ?? "",
  "PATCH /api/v1/patients/:patient_id/monitoring": UNCOUNTED_EVENTS["monitoring.update"] ?? "",
  "PUT /api/v1/patients/:patient_id/alert-rules/:code": UNCOUNTED_EVENTS["alert_rule.update"] ?? "",
  "PUT /api/v1/wards/:ward_id/alert-rules/:code": UNCOUNTED_EVENTS["alert_rule.update"] ?? "",
  "POST /api/v1/observations": UNCOUNTED_EVENTS["observation.create"] ?? "",
  "POST /api/v1/patients/:patient_id/observation-sets": UNCOUNTED_EVENTS["observation_set.create"] ?? "",
  "PUT /api/v1/patients/:patient_id/observation-pause": UNCOUNTED_EVENTS["observation_pause.update"] ?? "",
  "POST /api/v1/wearables/sync": UNCOUNTED_EVENTS["observation.create"] ?? "",
  "POST /api/v1/alerts/:alert_id/acknowledge": UNCOUNTED_EVENTS["alert.acknowledge"] ?? "",
  "POST /api/v1/alerts/:alert_id/assign": UNCOUNTED_EVENTS["alert.assign"] ?? "",
  "POST /api/v1/alerts/:alert_id/snooze": UNCOUNTED_EVENTS["alert.snooze"] ?? "",
  "POST /api/v1/alerts/:alert_id/resolve": UNCOUNTED_EVENTS["alert.resolve"] ?? "",
  "POST /api/v1/auth/logout": "ends a session",
  "POST /api/v1/uploads/:upload_id/discard": "deletes a file",
  "POST /api/v1/observations/quarantine/discard": "ends rows that exist",
  "POST /api/v1/documents/:document_id/link": "stores nothing but the audit event of a read",
  "POST /api/v1/consents/:consent_id/deny": UNCOUNTED_EVENTS["consent.deny"] ?? "",
  "POST /api/v1/consents/:consent_id/revoke": UNCOUNTED_EVENTS["consent.revoke"] ?? "",
  "POST /api/v1/guardianships/:guardianship_id/end": UNCOUNTED_EVENTS["guardian.end"] ?? "",
  "POST /api/v1/document-requests/:document_request_id/cancel": UNCOUNTED_EVENTS["document_request.cancel"] ?? "",
  "POST /api/v1/live/tickets": "stores nothing but the audit event of a read",
  "POST /api/v1/patients/:patient_id/alert-rules/preview": "stores nothing but the audit event of a read",
};
/** Routes whose events concern no hospital, or one that is new in this test. */
const WITHOUT_HOSPITAL = [
  "PATCH /api/v1/auth/passkeys/:passkey_id",
  "PATCH /api/v1/auth/me",
  "POST /api/v1/hospitals",
  "POST /api/v1/consents/share",
  "POST /api/v1/guardian-codes",
  "POST /api/v1/auth/invitations/join",
];

const today = () => utcDayOf(Date.now());
const run = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();
const emptyCounters = () => run("DELETE FROM counters WHERE scope LIKE 'quota%'");
const FULL = 1e16;
/** Uses up the quotas of every account, or of every hospital. */
async function fill(whose: "accounts" | "hospitals", prefix: string, day: number): Promise<void> {
  const subjects =
    whose === "hospitals"
      ? "SELECT 'h:' || id AS subject FROM hospitals"
      : `SELECT 'u:' || id AS subject FROM users UNION SELECT 'm:' || id FROM devices UNION SELECT 'm:' || id FROM credentials`;
  await run(
    `INSERT INTO counters (scope, day, name, n) SELECT ? || subject, CAST(? AS INTEGER), 'records', CAST(? AS INTEGER) FROM (${subjects}) WHERE 1
      ON CONFLICT (scope, day, name) DO UPDATE SET n = excluded.n`,
    prefix,
    day,
    FULL,
  );
}

let stage: AuthzFixture;
afterAll(deleteUnreferencedFiles);
beforeAll(async () => {
  stage = await createFixture();
}, 120_000);

const WRITES = Object.keys(ROUTES).filter((route) => !/^(GET|DELETE) /.test(route));
const DELETES = Object.keys(ROUTES).filter((route) => route.startsWith("DELETE "));

/** A caller whom the matrix allows the route, and the target. */
function findCaller(route: string): { player: TestCaller; target: Target } {
  const rule = ROUTES[route];
  // Staff first: reads of patients count too.
  for (const player of [...stage.players].sort(
    (a, b) => Number(a.principal.role === "patient") - Number(b.principal.role === "patient"),
  )) {
    if (player.principal.kind !== "user" || !rule) continue;
    const target: Target = player.principal.place === "W" ? "elsewhere" : "treated";
    if (expectedDecision(player.principal, rule, relationTo(player.principal, target)) === "allow") return { player, target };
  }
  throw new Error(`nobody may call ${route}`);
}

async function callFull(route: string, filling: () => Promise<void>) {
  await emptyCounters();
  const { player, target } = findCaller(route);
  const handle: ResourceIds = await renewResources(route, stage.handles[target], stage, player);
  const changes = /\/(logout|switch-hospital|password\/change|sessions\/:session_id)$/.test(route);
  // Passkeys, push subscriptions and codes of the matrix have the id of their session.
  const isNamed = /:(passkey|push_subscription|offer)_id/.test(route);
  const spare = changes || isNamed ? await createSpareSession(player, stage.places) : null;
  await filling();
  const response = await callRoute(route, handle, player, spare?.sessionId ?? "", spare?.token ?? player.token);
  await emptyCounters();
  const body = await readJson(response);
  // A batch answers per file.
  const { status, code } = route.endsWith("/batch") ? body.data[0] : { status: response.status, code: body.code };
  return { response, status, code };
}

const isUncounted = (route: string) => Object.hasOwn(UNCOUNTED, route);
const counted = WRITES.filter((route) => !isUncounted(route));
const hasHospital = (route: string) => !WITHOUT_HOSPITAL.includes(route);

describe("a writing route", { timeout: 120_000 }, () => {
  it("of the OpenAPI document is one of the routes below, and declares its refusals", async () => {
    const { paths } = await readJson(await sendRequest("/openapi.json"));
    const aliases = PATH_ALIASES.map(({ path }) => ` ${path}`);
    const documented = Object.entries<Record<string, { responses: Record<string, unknown> }>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        route: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`,
        statuses: Object.keys(operation.responses),
      })),
    );
    const writes = documented.filter(
      ({ route }) => !/^(GET|DELETE) /.test(route) && !aliases.some((alias) => route.includes(alias)),
    );
    expect(writes.length).toBeGreaterThan(50);
    expect(writes.map(({ route }) => route).filter((route) => !WRITES.includes(route))).toEqual([]);
    const silent = writes.filter(
      ({ route, statuses }) => !isUncounted(route) && !(statuses.includes("409") && statuses.includes("429")),
    );
    expect(silent.map(({ route }) => route)).toEqual([]);
    expect(Object.keys(UNCOUNTED).filter((route) => !WRITES.includes(route))).toEqual([]);
  });

  // In the short form each route has one of the two owners, and the other one the next day.
  it.each(counted.filter((route, row) => !hasHospital(route) || isSampled(row, 0, 2)))(
    "ends with the account's quotas: %s",
    async (route) => {
      const daily = await callFull(route, () => fill("accounts", "quota-day:", today()));
      expect(daily).toMatchObject({ status: 429, code: "quota_exceeded" });
      if (!route.endsWith("/batch")) {
        const wait = Number(daily.response.headers.get("retry-after"));
        expect(utcDayOf(Date.now() + wait * 1000)).toBe(today() + 1);
      }
      expect(await callFull(route, () => fill("accounts", "quota:", 0))).toMatchObject({ status: 409, code: "storage_full" });
    },
  );

  it.each(counted.filter((route, row) => hasHospital(route) && isSampled(row, 1, 2)))(
    "ends with the hospital's quota: %s",
    async (route) => {
      const daily = await callFull(route, () => fill("hospitals", "quota-day:", today()));
      expect(daily).toMatchObject({ status: 429, code: "quota_exceeded" });
    },
  );

  const allowed = Object.keys(UNCOUNTED).filter((route) => ROUTES[route]?.about !== "public");
  // The last: it ends the caller's other sessions.
  const isLast = (route: string) => route.endsWith("/password/change");
  const ordered = [...allowed, ...DELETES].sort((a, b) => Number(isLast(a)) - Number(isLast(b)));
  it.each(ordered)("never ends: %s", async (route) => {
    const answer = await callFull(route, async () => {
      await fill("accounts", "quota-day:", today());
      await fill("hospitals", "quota-day:", today());
    });
    expect(answer.status, answer.code).toBeLessThan(300);
  });

  it("registers no patient beyond the quota of self-registered ones", async () => {
    const json = { email: `${uniqueText()}@example.org`, password: "quiet river stones", first_name: "Asha", last_name: "Rao" };
    await fill("hospitals", "quota-day:", today());
    const refused = await sendRequest(`${API}/auth/register/patient`, { json });
    expect({ status: refused.status, code: (await readJson(refused)).code }).toEqual({ status: 429, code: "quota_exceeded" });
    await emptyCounters();
    expect((await sendRequest(`${API}/auth/register/patient`, { json })).status).toBe(201);
  });

  it("is not refused to others when an account is at its end", async () => {
    const [nurse, colleague] = [await newPerson("nurse", stage.places.A), await newPerson("nurse", stage.places.A)];
    await run("INSERT INTO counters (scope, day, name, n) VALUES (?, ?, 'records', 1e15)", `quota-day:u:${nurse.id}`, today());
    const create = (as: { token: string }) => sendRequest(`${API}/patients`, { as, json: { first_name: "Uma" } });
    expect((await create(nurse)).status).toBe(429);
    expect((await create(colleague)).status).toBe(201);
  });
});
