// The authorization matrix: every principal on every route, each response against an oracle that shares no code with src/.
import { v7 } from "uuid";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app.ts";
import { toAlertId, toObservationId } from "../../src/monitoring/patient-object/samples/ids.ts";
import { buildOpenApiDocument } from "../../src/service/openapi-routes.ts";
import { newPasskeyRow } from "../authz.factors.ts";
import {
  DECISION_STATUS,
  type Decision,
  expectedAuditEvents,
  expectedDecision,
  isDenial,
  PRINCIPALS,
  type Relation,
  type RouteRule,
  relationTo,
  type Target,
  visibleTargets,
} from "../authz.matrix.ts";
import { renewResources } from "../authz.renewal.ts";
import { callRoute, subscribeSession } from "../authz.requests.ts";
import { ROUTES } from "../authz.routes.ts";
import { type AuthzFixture, createFixture, createSpareSession, type ResourceIds, type TestCaller } from "../authz.world.ts";
import { isSampled, times } from "../long.ts";
import { env, listAllEvents } from "../world.ts";

const routesOfApp = [...new Set(app.routes.filter((r) => r.method !== "ALL").map((r) => `${r.method} ${r.path}`))];
const ALL_TARGETS: Target[] = ["treated", "untreated", "elsewhere"];

type Cell = { route: string; rule: RouteRule; player: TestCaller; target: Target; relation: Relation; decision: Decision };
type Answer = { status: number; comparable: string; text: string; requestId: string; isKept: boolean };

let stage: AuthzFixture;
let cells: Cell[] = [];
const lines: string[] = [];
let answered = 0;

/** The parameters of a route decide for which targets it is tested. */
function targetsOf({ about }: RouteRule): Target[] {
  if (["patient", "report", "upload", "batch", "samples"].includes(about)) return ALL_TARGETS;
  return ["public", "own", "stream"].includes(about) ? ["treated"] : ["treated", "elsewhere"];
}

/** For sessions the first target stands for the caller's own, the second for another user's. */
function relationFor({ principal }: TestCaller, { about }: RouteRule, target: Target): Relation {
  if (about === "session") return target === "treated" ? "self" : "none";
  return relationTo(principal, target);
}

function allCells(): Cell[] {
  return Object.entries(ROUTES).flatMap(([route, rule]) =>
    stage.players.flatMap((player) =>
      targetsOf(rule).map((target) => {
        const relation = relationFor(player, rule, target);
        return { route, rule, player, target, relation, decision: expectedDecision(player.principal, rule, relation) };
      }),
    ),
  );
}

/** Of the cells of one decision, route and target every n-th principal in `npm test`, others for the next kind and day. */
function sampleCells(all: Cell[], every: number): Cell[] {
  const kinds = [...Map.groupBy(all, ({ route, target, decision }) => `${route} ${target} ${decision}`).values()];
  return kinds.flatMap((kind, k) => kind.filter((_, i) => isSampled(i, k, Math.min(every, kind.length))));
}

const nameOf = ({ player, route, target }: Cell) => `${player.principal.name}: ${route} (${target})`;

/** A response without the parts that differ in every response, and without the ids in the request. */
async function answerOf(response: Response, ids: string[]): Promise<Answer> {
  const headers = [...response.headers].filter(([name]) => !["x-request-id", "content-length"].includes(name)).sort();
  const text = new TextDecoder("latin1").decode(await response.arrayBuffer());
  let comparable = `${response.status} ${JSON.stringify(headers)} ${text}`;
  for (const id of ids) comparable = comparable.replaceAll(id, "{id}");
  comparable = comparable.replace(/"(request_id|error_id|upload_id)":"[^"]*"/g, '"$1":""');
  const isKept = /^"[\w-]{22}"$/.test(response.headers.get("etag") ?? "");
  return { status: response.status, comparable, text, requestId: response.headers.get("x-request-id") ?? "", isKept };
}

const idsOf = (handle: ResourceIds, sessionId: string) =>
  [...Object.values(handle), sessionId].filter((id) => typeof id === "string").filter((id) => id !== "");

const nowhere = (handle: ResourceIds): ResourceIds => ({
  ...handle,
  ...Object.fromEntries(Object.keys(handle).flatMap((key) => (key.endsWith("Id") ? [[key, v7()]] : []))),
  eventId: v7(),
  observationId: toObservationId(v7(), 0, 0),
  alertId: toAlertId(v7(), 1),
});

/** Canaries of patients that the principal may not see; by consent, those of the request's patient where it opens the route. */
function forbiddenWords({ player: { principal }, relation, decision, rule, target }: Cell): string[] {
  const visible = visibleTargets(principal);
  const isGuarded = (of: Target) => rule.byGuardian === true && relationTo(principal, of) === "guardian";
  const isShared = (of: Target) => (relation === "consent" && decision === "allow" && of === target) || isGuarded(of);
  return ALL_TARGETS.filter((of) => !visible.includes(of) && !isShared(of)).map((of) => stage.patients[of].canary);
}

const complaints: string[] = [];
const complain = (cell: Cell, what: string) => complaints.push(`${nameOf(cell)}: ${what}`);

const { paths: documentedPaths = {} } = buildOpenApiDocument(app);

/** The statuses that the OpenAPI document declares; null for pages that it does not describe. The fixture reports 101 as 200. */
function declaredStatuses(route: string): string[] | null {
  const [method = "", path = ""] = route.split(" ");
  const operation = new Map(Object.entries({ ...documentedPaths[path.replace(/:(\w+)/g, "{$1}")] })).get(method.toLowerCase());
  return operation ? Object.keys(operation.responses ?? {}).map((status) => (status === "101" ? "200" : status)) : null;
}

const LISTS_OF_HOSPITALS = ["consents", "document-requests", "guardianships"].map((list) => `GET /api/v1/${list}`);

/** Holds for every response: a declared status, no hidden word in it, and one audit event per decision. */
async function checkAll(answers: [Cell, Answer][]): Promise<void> {
  answered += answers.length;
  const byRequest = Map.groupBy(await listAllEvents(), (row) => String(row["request_id"]));
  for (const [cell, { text, status, requestId }] of answers) {
    if (declaredStatuses(cell.route)?.includes(String(status)) === false)
      complain(cell, `answers ${status}, which is not declared`);
    if (forbiddenWords(cell).some((word) => text.includes(word))) complain(cell, "shows a hidden patient's word");
    const events = byRequest.get(requestId) ?? [];
    // An administrator's list has one event per hospital of its rows, and so have a person's lists of consents and what belongs to them.
    const isPerHospital =
      (cell.player.principal.name === "platform admin" || LISTS_OF_HOSPITALS.includes(cell.route)) &&
      new Set(events.map((event) => event.hospital_id)).size === events.length;
    const outcomes = (isPerHospital ? events.slice(0, 1) : events).map((event) => event.outcome);
    const wanted = expectedAuditEvents(cell.player.principal, cell.rule, cell.decision);
    const outcome = isDenial(cell.decision) ? "denied" : "success";
    if (outcomes.length !== wanted || outcomes.some((o) => o !== outcome))
      complain(cell, `left ${outcomes} instead of ${wanted}`);
  }
}

/** A few concurrently; the cells of one principal stay in order. */
async function pooled<T>(items: T[], laneOf: (item: T) => unknown, work: (item: T) => Promise<void>): Promise<void> {
  const lanes = [...Map.groupBy(items, laneOf).values()];
  await Promise.all(
    lanes.map(async (lane) => {
      for (const item of lane) await work(item);
    }),
  );
}

/** Uploads to quarantine and refused attempts are counted. */
const isNoQuota = (row: Record<string, unknown>) => !String(row["scope"] ?? "").startsWith("quota");

/** Only the first hundred refusals of a principal and day have an audit event each; here every one is examined. */
const REFUSALS_WITH_EVENT = 40;
const forgetRefusals = () => env.DB.prepare("DELETE FROM counters WHERE name = 'refused'").run();

/** Tables that a denied request may extend: the audit log and the quarantine; and what queues deliver meanwhile. */
const GROWING = ["audit_staged", "uploads", "held_observations", "deliveries"];
/** When a credential was last used, and sign-ins, which the matrix renews. */
const RENEWED = ["last_used_at", "authenticated_at", "amr"];

/** Factors and browsers of the callers, which the test makes for a request that names them. */
const MADE = ["passkeys", "push_subscriptions", "totp_factors"];

/** Everything else in the database, by table. @param callers ids of persons whose own rows of MADE are left out */
async function digest(callers: ReadonlySet<string>): Promise<Record<string, string>> {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'd1%'",
  ).all<{ name: string }>();
  const kept = results.map((r) => r.name).filter((name) => !GROWING.includes(name));
  expect(kept).toContain("patients");
  const isCompared = (name: string, row: Record<string, unknown>) =>
    isNoQuota(row) && !(MADE.includes(name) && callers.has(String(row["user_id"])));
  const tables = await Promise.all(
    kept.map(async (name): Promise<[string, unknown[]]> => {
      // biome-ignore lint/plugin: the names come from the schema itself.
      const { results: rows } = await env.DB.prepare(`SELECT * FROM ${name}`).all();
      return [name, rows.filter((row) => isCompared(name, row))];
    }),
  );
  const withoutRenewed = (key: string, value: unknown) => (RENEWED.includes(key) ? undefined : value);
  return Object.fromEntries(tables.map(([name, rows]) => [name, JSON.stringify(rows, withoutRenewed)]));
}

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation((line) => void lines.push(JSON.stringify(line)));
  stage = await createFixture();
  cells = allCells();
}, 60_000);

const size = Object.values(ROUTES).reduce((sum, rule) => sum + targetsOf(rule).length * PRINCIPALS.length, 0);

const TITLE = `the authorization matrix: ${PRINCIPALS.length} principals, ${Object.keys(ROUTES).length} routes, ${size} cells`;

// Thousands of requests in one test: a minute on an idle core, several times as long on a busy one.
describe(TITLE, { timeout: 600_000 }, () => {
  it("lists every route of the Worker, and no other", () => {
    const listed = Object.keys(ROUTES);
    const missing = routesOfApp.filter((route) => !listed.includes(route));
    const gone = listed.filter((route) => !routesOfApp.includes(route));
    expect(missing.map((route) => `${route} has no row in ROUTES of test/authz.routes.ts: who may call it?`)).toEqual([]);
    expect(gone.map((route) => `${route} of test/authz.routes.ts is no route of src/app.ts`)).toEqual([]);
  });

  it("has a positive control for every denial", () => {
    for (const [route, rule] of Object.entries(ROUTES)) {
      for (const target of targetsOf(rule)) {
        const decisions = cells.filter((c) => c.route === route && c.target === target).map((c) => c.decision);
        const somebodyElses = rule.about === "session" && target === "elsewhere";
        expect(decisions.includes("allow"), `${route} ${target}`).toBe(!somebodyElses);
      }
    }
  });

  it("denies what the oracle denies, as it denies what does not exist, and changes nothing", async () => {
    const other = stage.nurses.W.sessionId;
    const twins = new Map<string, Answer>();
    await Promise.all([newPasskeyRow(other), subscribeSession(other)]);
    const others = stage.players.filter(({ sessionId }) => sessionId !== other);
    const callers = new Set(others.flatMap(({ person }) => person?.id ?? []));
    const before = await digest(callers);
    const denials = sampleCells(
      cells.filter((cell) => cell.decision !== "allow"),
      12,
    );
    const answers: [Cell, Answer][] = [];
    let denied = 0;
    await pooled(
      denials,
      (cell) => cell.player,
      async (cell) => {
        const { route, player, target } = cell;
        if (denied++ % REFUSALS_WITH_EVENT === 0) await forgetRefusals();
        const handle = stage.handles[target];
        const session = cell.relation === "self" ? (player.sessionId ?? other) : other;
        const answer = await answerOf(await callRoute(route, handle, player, session), idsOf(handle, session));
        const status = DECISION_STATUS[cell.decision] ?? cell.decision;
        if (answer.status !== status) complain(cell, `answered ${answer.status} instead of ${status}`);
        // A route without a parameter has no other target.
        const key = `${player.principal.name} ${route}`;
        const ghost = nowhere(handle);
        const ghostSession = v7();
        // A target that the caller may see but not change need not be hidden.
        const seen = cell.rule.about === "edit" && status === 403;
        const unnamed = cell.rule.about === "own" || seen ? answer : twins.get(key);
        const twin = unnamed ?? (await answerOf(await callRoute(route, ghost, player, ghostSession), idsOf(ghost, ghostSession)));
        if (!seen) twins.set(key, twin);
        if (answer.comparable !== twin.comparable)
          complain(cell, `differs from nowhere:\n${answer.comparable}\n${twin.comparable}`);
        answers.push([cell, answer]);
      },
    );
    await checkAll(answers);
    expect(complaints).toEqual([]);
    expect(denials.length).toBeGreaterThan(times(450, 4_500));
    const after = await digest(callers);
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual([]);
  });

  it("allows what the oracle allows, and shows the patient's words to whom it must", async () => {
    const allowed = sampleCells(
      cells.filter((cell) => cell.decision === "allow" && cell.rule.about !== "public"),
      4,
    );
    const answers: [Cell, Answer][] = [];
    const keptRoutes = new Set<string>();
    for (const cell of allowed) {
      const { route, player, target } = cell;
      const handle = await renewResources(route, stage.handles[target], stage, player);
      const changes = /\/(logout|switch-hospital)$/.test(route);
      const ends = changes || cell.rule.about === "session";
      const spare = ends ? await createSpareSession(player, stage.places) : null;
      const token = changes ? spare?.token : player.token;
      const answer = await answerOf(await callRoute(route, handle, player, spare?.sessionId ?? "", token), []);
      if (answer.status < 200 || answer.status > 299) complain(cell, `answered ${answer.status}: ${answer.text}`);
      const shown = route.endsWith("/board") ? visibleTargets(player.principal).includes(target) : true;
      const shows = shown && /^GET .*\/(patients\/:patient_id|reports\/:report_id(\/file)?|board)$/.test(route);
      if (shows && !answer.text.includes(stage.patients[target].canary)) complain(cell, "does not show the patient");
      answers.push([cell, answer]);
      if (!answer.isKept) continue;
      keptRoutes.add(route);
      const again = await answerOf(await callRoute(route, handle, player, "", token), []);
      if (again.comparable !== answer.comparable) complain(cell, "shows something else from memory");
      answers.push([cell, again]);
    }
    // Those who are refused, while the lists are in memory.
    await forgetRefusals();
    for (const cell of cells.filter(({ route, decision }) => keptRoutes.has(route) && isDenial(decision))) {
      const answer = await answerOf(await callRoute(cell.route, stage.handles[cell.target], cell.player, ""), []);
      if (answer.status !== (DECISION_STATUS[cell.decision] ?? cell.decision)) complain(cell, `answered ${answer.status} warm`);
      answers.push([cell, answer]);
    }
    await checkAll(answers);
    expect(complaints).toEqual([]);
    expect(keptRoutes.size).toBeGreaterThan(5);
    expect(allowed.length).toBeGreaterThan(times(100, 300));
  });

  it("answers public routes alike for every caller", async () => {
    const open = cells.filter((cell) => cell.rule.about === "public");
    const first = new Map<string, number>();
    const answers: [Cell, Answer][] = [];
    await pooled(
      open,
      (cell) => cell.route,
      async (cell) => {
        const answer = await answerOf(await callRoute(cell.route, stage.handles.treated, cell.player, ""), []);
        if (!first.has(cell.route)) first.set(cell.route, answer.status);
        if (answer.status !== first.get(cell.route) || answer.status >= 500) complain(cell, `answered ${answer.status}`);
        answers.push([cell, answer]);
      },
    );
    await checkAll(answers);
    expect(complaints).toEqual([]);
  });

  it("left no patient's word, token, address or query in any log line or audit row", async () => {
    const events = await listAllEvents();
    expect(events.length).toBeGreaterThan(100);
    const written = [...lines, ...events.map((row) => JSON.stringify(row))];
    expect(lines.length).toBeGreaterThan(answered);
    const secrets = [
      ...Object.values(stage.patients).map((patient) => patient.canary),
      ...stage.players.flatMap(({ token, person }) => [token, person?.email, person?.username, person?.refresh]),
    ].filter((word) => typeof word === "string");
    for (const line of written) {
      expect(secrets.filter((secret) => line.includes(secret))).toEqual([]);
      expect(line).not.toMatch(/[?&][a-z_]+=|@example\.org|Bearer|eyJ/);
    }
  });
});
