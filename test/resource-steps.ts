// Checks of the steps in docs/adding-a-resource.md that no compiler sees. Each returns one sentence per missing step.

const METHODS = "GET|POST|PUT|PATCH|DELETE";

/** `GET /api/v1/wards/:ward_id` is `GET /wards/{}`, and so is the case `GET /wards/{id}?x (doctor)`. */
function normalizeRoute(route: string): string {
  const [method = "", path = ""] =
    route
      .split(/[,?(]| \(/)[0]
      ?.trim()
      .split(" ") ?? [];
  return `${method} ${path.replace(/^\/api\/v1(?=\/)/, "").replace(/:\w+|\{\w+\}/g, "{}")}`;
}

/** Patterns of the cases in a test table; a part that is filled in at run time matches any segments. */
function findCases(source: string): RegExp[] {
  const names = source.matchAll(new RegExp(`["\`]((?:${METHODS}|\\$\\{\\w+\\}) /[^"\`]*)["\`]`, "g"));
  return [...names].map(([, name = ""]) => {
    const route = normalizeRoute(name.replace(/\$\{[^}]+\}/g, "~"));
    return new RegExp(`^${route.replace(/[{}.*+^$()|[\]\\]/g, "\\$&").replaceAll("~", "[\\w/{}-]+")}$`);
  });
}

/** @param without routes known to have no case; the list may only get shorter */
export function findRoutesWithoutCase(
  routes: readonly string[],
  sources: readonly string[],
  without: readonly string[],
  step: string,
): string[] {
  const cases = sources.flatMap(findCases);
  const hasCase = (route: string) => cases.some((pattern) => pattern.test(normalizeRoute(route)));
  return [
    ...routes.filter((route) => !hasCase(route) && !without.includes(route)).map((route) => `${route} has no ${step}`),
    ...without.filter((route) => !routes.includes(route)).map((route) => `${route} is listed without a ${step} but is no route`),
    ...without.filter(hasCase).map((route) => `${route} has a ${step}: delete it from the list of routes without one`),
  ];
}

/** @param files source of each routes file by path  @param mounts source of the files that mount them */
export const findUnmountedRoutes = (files: ReadonlyMap<string, string>, mounts: string): string[] =>
  [...files].flatMap(([file, source]) =>
    [...source.matchAll(/^export const (\w+Routes) = /gm)]
      .filter(([, name]) => !new RegExp(`\\.route\\([^)\\n]*\\b${name}\\b`).test(mounts))
      .map(([, name]) => `${file}: src/protected-routers.ts or src/app.ts mounts no ${name}`),
  );

export const findUnknownTags = (files: ReadonlyMap<string, string>, known: readonly string[]): string[] =>
  [...files].flatMap(([file, source]) =>
    [...source.matchAll(/\btags(?::| =) \["([^"]+)"\]/g)]
      .filter(([, tag = ""]) => !known.includes(tag))
      .map(([, tag]) => `${file}: the tag "${tag}" is not described in TAGS of src/service/openapi-document.ts`),
  );

export const findTables = (schema: string): string[] =>
  [...schema.matchAll(/sqliteTable\(\s*"(\w+)"/g)].map(([, name = ""]) => name);

export const findUndescribedTables = (schema: string, page: string): string[] =>
  findTables(schema)
    .filter((name) => !new RegExp(`^\\| \`${name}\``, "m").test(page))
    .map((name) => `table ${name} is not described in docs/data.md`);

export const findPermissionsWithoutAction = (permissions: readonly string[], operations: readonly string[]): string[] =>
  permissions
    .filter((permission) => !operations.includes(permission.split(":")[1] ?? ""))
    .map(
      (permission) =>
        `${permission} has no audit action: add its operation to AUDIT_ACTION_BY_OPERATION in src/access/audit-actions.ts`,
    );

export const findUncheckedPermissions = (permissions: readonly string[], sources: readonly string[]): string[] =>
  permissions
    .filter((permission) => !sources.some((source) => source.includes(`"${permission}"`)))
    .map((permission) => `${permission} is granted in src/access/permissions.ts, but nothing in src/ checks it`);

/** Paths of the portal's pages, in the notation of its router: `/alarms/$alertId`. */
export function findPortalPaths(sources: ReadonlyMap<string, string>): string[] {
  return [...sources].flatMap(([file, source]) => {
    const paths = [...source.matchAll(/^\s+path: "(\/[^"]*)",?$/gm)].map(([, path = ""]) => path);
    const isUnderPatient = file.endsWith("patient-routes.ts");
    return isUnderPatient ? paths.map((path) => (path.startsWith("/patients") ? path : `/patients/$patientId${path}`)) : paths;
  });
}

export const findPathsWithoutArea = (paths: readonly string[], areas: readonly string[]): string[] =>
  paths
    .filter((path) => !areas.includes(path.split("/")[1] ?? ""))
    .map((path) => `portal page ${path} is in no area: add it to PORTAL_AREAS in src/service/portal-areas.ts`);

/** Example addresses in the source of test/browser/portal-pages.ts. */
function findTestedAddresses(source: string): string[] {
  const pages = source.slice(source.indexOf("PORTAL_PAGES: "));
  return [...pages.matchAll(/[:>] (?:"(\/[^"]*)"|`([^`]*)`|(chart))[, ]/g)].map(([, plain, template, chart]) =>
    (plain ?? template ?? (chart && "/patients/x") ?? "").replace(/\$\{chart\}/, "/patients/x").replace(/\$\{\w+\}/g, "x"),
  );
}

/** @param source text of test/browser/portal-pages.ts */
export function findUntestedPages(paths: readonly string[], source: string): string[] {
  const tested = findTestedAddresses(source);
  return paths
    .filter((path) => path !== "/")
    .filter((path) => {
      const pattern = new RegExp(`^${path.replace(/(.)\/$/, "$1").replace(/\$\w+/g, "[^/]+")}$`);
      return !tested.some((address) => pattern.test(address));
    })
    .map((path) => `portal page ${path} has no row in PORTAL_PAGES of test/browser/portal-pages.ts`);
}

/** @param source text of portal/src/platform/messages/catalogues.ts */
export const findUnregisteredMessages = (files: readonly string[], source: string): string[] =>
  files
    .filter((file) => {
      const path = file.replace(/^portal\/src\//, "");
      const [, name] = new RegExp(`import type \\{ (\\w+) \\} from "[./]*/${path}"`).exec(source) ?? [];
      const registered = /Registered = \[([^\]]*)\]/.exec(source)?.[1] ?? "";
      return name === undefined || !registered.includes(`typeof ${name},`);
    })
    .map((file) => `${file} is not in Registered of portal/src/platform/messages/catalogues.ts`);

/** @param source text of test/worker/hostile-text.test.ts */
export const findCollectionsWithoutHostileText = (
  routes: readonly string[],
  source: string,
  without: readonly string[],
): string[] =>
  routes
    .filter((route) => /^POST \/api\/v1\/[\w-]+$/.test(route) && !without.includes(route))
    .filter((route) => !source.includes(`path: \`\${API}${route.slice("POST /api/v1".length)}\``))
    .map((route) => `${route} has no resource in RESOURCES of test/worker/hostile-text.test.ts`);

/** @param source text of a test that fills in path parameters from an object with a member per parameter */
export const findMissingIds = (routes: readonly string[], source: string, file: string): string[] =>
  [...new Set(routes.flatMap((route) => [...route.matchAll(/:(\w+)/g)].map(([, name = ""]) => name)))]
    .filter((name) => !new RegExp(`(?:\\b${name}:|\\["${name}"\\])`).test(source))
    .map((name) => `${file} has no id for the path parameter :${name}`);
