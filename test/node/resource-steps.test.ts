// The guards of docs/adding-a-resource.md: each forgotten step is reported in one sentence.
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AUDIT_ACTION_BY_OPERATION } from "../../src/access/audit-actions.ts";
import { PERMISSIONS } from "../../src/access/permissions.ts";
import { EXAMPLES } from "../../src/http/router.ts";
import { TAGS } from "../../src/service/openapi-document.ts";
import { PORTAL_AREAS } from "../../src/service/portal-areas.ts";
import { ROUTES } from "../authz.routes.ts";
import {
  findCollectionsWithoutHostileText,
  findMissingIds,
  findPathsWithoutArea,
  findPermissionsWithoutAction,
  findPortalPaths,
  findRoutesWithoutCase,
  findTables,
  findUncheckedPermissions,
  findUndescribedTables,
  findUnknownTags,
  findUnmountedRoutes,
  findUnregisteredMessages,
  findUntestedPages,
} from "../resource-steps.ts";

const read = (file: string) => readFileSync(file, "utf8");
const readAll = (pattern: string) =>
  new Map(
    globSync(pattern)
      .sort()
      .map((file) => [file, read(file)]),
  );
const readTexts = (pattern: string) => [...readAll(pattern).values()];

/** authz.test.ts holds this list equal to the routes of the Worker. */
const API_ROUTES = Object.keys(ROUTES).filter((route) => route.includes("/api/v1/"));
const WRITES = API_ROUTES.filter((route) => !route.startsWith("GET "));
const ROUTE_FILES = readAll("src/**/*routes.ts");
const MOUNTS = readTexts("src/{app,protected-routers}.ts").join("\n");
const SCHEMA = read("src/platform/db/schema.ts");
const TAG_NAMES = TAGS.map(({ name }) => name);
const OPERATIONS = Object.keys(AUDIT_ACTION_BY_OPERATION);
const PORTAL_PATHS = findPortalPaths(readAll("portal/src/{router.tsx,routes/*.ts}"));
const AREAS = Object.keys(PORTAL_AREAS);
const NEW_ROUTE = "POST /api/v1/bananas/:banana_id/peel";

/** Routes older than this check. A new route needs a budget; who adds one of these deletes its line. */
const WITHOUT_BUDGET = [
  "POST /api/v1/auth/bootstrap",
  "POST /api/v1/auth/register/patient",
  "DELETE /api/v1/auth/sessions/:session_id",
  "DELETE /api/v1/users/invitations/:invitation_id",
  "POST /api/v1/users",
  "DELETE /api/v1/users/:user_id/sessions",
  "POST /api/v1/users/:user_id/unlock",
  "POST /api/v1/hospitals",
  "PATCH /api/v1/wards/:ward_id",
  "DELETE /api/v1/practitioners/:practitioner_id",
  "DELETE /api/v1/hospitals/:hospital_id/members/:user_id",
  "GET /api/v1/patients/list",
  "GET /api/v1/patients/search",
  "DELETE /api/v1/patients/:patient_id",
  "GET /api/v1/patients/:patient_id/summary",
  "GET /api/v1/patients/:patient_id/intake",
  "POST /api/v1/patients/:patient_id/intake",
  "GET /api/v1/patients/:patient_id/links",
  "DELETE /api/v1/patients/:patient_id/links/:user_id",
  "GET /api/v1/patients/:patient_id/history",
  "DELETE /api/v1/patients/:patient_id/care-team/:user_id",
  "POST /api/v1/api-keys",
  "GET /api/v1/api-keys",
  "POST /api/v1/api-keys/:api_key_id/rotate",
  "DELETE /api/v1/api-keys/:api_key_id",
  "GET /api/v1/devices/:device_id/credentials",
  "DELETE /api/v1/devices/:device_id/credentials/:credential_id",
  "DELETE /api/v1/devices/:device_id/assignments/current",
  "GET /api/v1/observations/stream",
  "POST /api/v1/ecg/reports/upload",
  "POST /api/v1/reports/raw",
  "GET /api/v1/reports/list",
  "GET /api/v1/ecg/reports",
  "GET /api/v1/ecg/reports/:report_id",
  "POST /api/v1/reports/batch",
];
/** Writes older than this check, as above; and options to sign in with a passkey, which call no store. */
const WITHOUT_FAULT_CASE = [
  "POST /api/v1/auth/passkey/options",
  "POST /api/v1/auth/bootstrap",
  "POST /api/v1/auth/register/patient",
  "PATCH /api/v1/auth/me",
  "POST /api/v1/auth/password/change",
  "POST /api/v1/auth/switch-hospital",
  "POST /api/v1/auth/invitations/join",
  "POST /api/v1/auth/logout",
  "DELETE /api/v1/auth/sessions/:session_id",
  "DELETE /api/v1/users/invitations/:invitation_id",
  "POST /api/v1/users",
  "DELETE /api/v1/users/:user_id",
  "DELETE /api/v1/users/:user_id/sessions",
  "POST /api/v1/users/:user_id/password-reset",
  "POST /api/v1/users/:user_id/unlock",
  "POST /api/v1/hospitals",
  "DELETE /api/v1/wards/:ward_id",
  "DELETE /api/v1/practitioners/:practitioner_id",
  "DELETE /api/v1/hospitals/:hospital_id/members/:user_id",
  "POST /api/v1/patients/:patient_id/claim-codes",
  "DELETE /api/v1/patients/:patient_id/links/:user_id",
  "PUT /api/v1/patients/:patient_id/care-team/:user_id",
  "DELETE /api/v1/patients/:patient_id/care-team/:user_id",
  "POST /api/v1/api-keys/:api_key_id/rotate",
  "DELETE /api/v1/api-keys/:api_key_id",
  "POST /api/v1/devices/:device_id/credentials",
  "DELETE /api/v1/devices/:device_id/credentials/:credential_id",
  "POST /api/v1/devices/:device_id/assignments",
  "DELETE /api/v1/devices/:device_id/assignments/current",
  "POST /api/v1/ecg/reports/upload",
  "POST /api/v1/reports/raw",
  "POST /api/v1/reports/batch",
  "POST /api/v1/reports/direct/:upload_id/confirm",
];
/** Creates older than this check, as above. */
// The reason of an emergency access has a minimum that most texts do not reach; the test sends texts there as in every other field.
const WITHOUT_HOSTILE_TEXT = ["users", "practitioners", "observations", "reports", "emergency-access"].map(
  (name) => `POST /api/v1/${name}`,
);
/** Creates whose requests have no body. */
const WITHOUT_TEXT = ["POST /api/v1/guardian-codes"];
/** Their texts do not come back in the answer: they are sent with those of the other operations, and read in intake.test.ts. */
const WITHOUT_TEXT_IN_ANSWER = ["intake-links", "intake-submissions"].map((name) => `POST /api/v1/${name}`);

describe("a route", () => {
  const findWithoutBudget = (routes: readonly string[], without: readonly string[] = WITHOUT_BUDGET) =>
    findRoutesWithoutCase(routes, readTexts("test/worker/budgets*.ts"), without, "budget in test/worker/budgets-*.ts");
  const findWithoutFaults = (routes: readonly string[]) =>
    findRoutesWithoutCase(routes, readTexts("test/worker/faults*.ts"), WITHOUT_FAULT_CASE, "case in test/worker/faults-*.ts");

  it("is mounted", () => {
    expect(findUnmountedRoutes(ROUTE_FILES, MOUNTS)).toEqual([]);
    const file = new Map([["src/fruit/routes.ts", "export const bananaRoutes = createRouter()"]]);
    expect(findUnmountedRoutes(file, MOUNTS)).toEqual([
      "src/fruit/routes.ts: src/protected-routers.ts or src/app.ts mounts no bananaRoutes",
    ]);
  });

  it("has a tag that the API document describes", () => {
    expect(findUnknownTags(ROUTE_FILES, TAG_NAMES)).toEqual([]);
    expect(findUnknownTags(new Map([["src/fruit/routes.ts", 'const tags = ["Fruit"];']]), TAG_NAMES)).toHaveLength(1);
    expect([...ROUTE_FILES.values()].filter((source) => /\btags(?::| =) \["/.test(source)).length).toBeGreaterThan(10);
  });

  it("has a budget", () => {
    expect(findWithoutBudget(API_ROUTES)).toEqual([]);
    expect(findWithoutBudget([...API_ROUTES, NEW_ROUTE])).toEqual([`${NEW_ROUTE} has no budget in test/worker/budgets-*.ts`]);
    const stale = findWithoutBudget(API_ROUTES, [...WITHOUT_BUDGET, "GET /api/v1/wards", "GET /api/v1/gone"]).join("\n");
    expect(stale).toContain("GET /api/v1/wards has a budget");
    expect(stale).toContain("GET /api/v1/gone is listed without");
  });

  it("that writes has a fault case", () => {
    expect(findWithoutFaults(WRITES)).toEqual([]);
    expect(findWithoutFaults([...WRITES, NEW_ROUTE])).toEqual([`${NEW_ROUTE} has no case in test/worker/faults-*.ts`]);
  });

  it("has ids for its path parameters where its examples are sent", () => {
    const file = "test/worker/openapi.test.ts";
    expect(findMissingIds(API_ROUTES, read(file) + read("test/care-examples.ts"), file)).toEqual([]);
    expect(findMissingIds([NEW_ROUTE], read(file), file)).toEqual([`${file} has no id for the path parameter :banana_id`]);
  });

  it("that creates is sent hostile text", () => {
    const source = read("test/worker/hostile-text.test.ts");
    expect(
      findCollectionsWithoutHostileText(API_ROUTES, source, [
        ...WITHOUT_HOSTILE_TEXT,
        ...WITHOUT_TEXT,
        ...WITHOUT_TEXT_IN_ANSWER,
      ]),
    ).toEqual([]);
    expect(findCollectionsWithoutHostileText(["POST /api/v1/bananas"], source, [])).toHaveLength(1);
  });

  it("has example ids that differ by resource", () => {
    expect(new Set(Object.values(EXAMPLES)).size).toBe(Object.keys(EXAMPLES).length);
  });
});

/** Permissions whose routes are still to come. */
const NOT_CHECKED_YET: readonly string[] = [
  "calendar_feed:read",
  "calendar_feed:manage",
  "video:join",
  "waiting_list:read",
  "waiting_list:create",
  "waiting_list:update",
  "queue:read",
  "queue:manage",
  "encounter:create",
  "encounter:update",
  "report:author",
  "report:sign",
  "patient:match",
  "patient:merge",
  "dashboard:read",
  "payment:read",
  "payment:create",
];

describe("a permission", () => {
  it("has an audit action", () => {
    expect(findPermissionsWithoutAction(PERMISSIONS, OPERATIONS)).toEqual([]);
    expect(findPermissionsWithoutAction(["banana:peel"], OPERATIONS).join()).toContain("banana:peel has no audit action");
  });

  it("is checked somewhere", () => {
    // The list of what guardians may names permissions, and checks none.
    const list = read("src/access/guardians.ts");
    const sources = [...ROUTE_FILES.values(), ...readTexts("src/**/!(permissions).ts").filter((text) => text !== list)];
    const unchecked = findUncheckedPermissions(PERMISSIONS, sources).map((problem) => problem.split(" ")[0]);
    expect(unchecked.sort()).toEqual([...NOT_CHECKED_YET].sort());
    expect(findUncheckedPermissions(["banana:peel"], sources).join()).toContain("nothing in src/ checks it");
  });
});

describe("a table", () => {
  it("is described in docs/data.md", () => {
    const page = read("docs/data.md");
    expect(findTables(SCHEMA).length).toBeGreaterThan(30);
    expect(findUndescribedTables(SCHEMA, page)).toEqual([]);
    expect(findUndescribedTables('sqliteTable("bananas", {})', page)).toEqual(["table bananas is not described in docs/data.md"]);
  });
});

describe("the portal", () => {
  it("has every page in an area", () => {
    expect(PORTAL_PATHS.length).toBeGreaterThan(35);
    expect(findPathsWithoutArea(PORTAL_PATHS, AREAS)).toEqual([]);
    expect(findPathsWithoutArea(["/bananas/$bananaId"], AREAS).join()).toContain("/bananas/$bananaId is in no area");
  });

  it("has a page in every area", () => {
    const unused = AREAS.filter((area) => !PORTAL_PATHS.some((path) => path.split("/")[1] === area));
    expect(unused.map((area) => `area "${area}" of src/service/portal-areas.ts has no page`)).toEqual([]);
  });

  it("has every page tested for accessibility and drawn", () => {
    const source = read("test/browser/portal-pages.ts");
    expect(findUntestedPages(PORTAL_PATHS, source)).toEqual([]);
    expect(findUntestedPages(["/admin/bananas", "/alarms/$alertId/peel"], source)).toHaveLength(2);
  });

  it("has all messages registered", () => {
    const catalogues = read("portal/src/platform/messages/catalogues.ts");
    const files = globSync("portal/src/**/messages.ts");
    expect(files.length).toBeGreaterThan(15);
    expect(findUnregisteredMessages(files, catalogues)).toEqual([]);
    expect(findUnregisteredMessages(["portal/src/bananas/messages.ts"], catalogues)).toHaveLength(1);
    expect(findUnregisteredMessages(files, catalogues.replace("  typeof practitioners,\n", ""))).toHaveLength(1);
  });
});
