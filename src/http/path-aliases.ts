// Path aliases: alternative paths that existing clients use, served by the handlers of the canonical paths.
import type { MiddlewareHandler } from "hono";
import { getPathNoStrict } from "hono/utils/url";
import type { AppEnv } from "./router.ts";

type PathAlias = { path: string; canonical: string; deprecated: boolean };

/** Each alias covers its canonical path and everything below it. */
export const PATH_ALIASES: readonly PathAlias[] = [
  { path: "/api/v1/clients", canonical: "/api/v1/patients", deprecated: true },
  { path: "/api/patients", canonical: "/api/v1/patients", deprecated: true },
  { path: "/api/analytics", canonical: "/api/v1/analytics", deprecated: true },
  { path: "/api/v1/doctors", canonical: "/api/v1/practitioners", deprecated: false },
  { path: "/api/v1/wearables/devices", canonical: "/api/v1/devices", deprecated: false },
  { path: "/ws/vitals", canonical: "/api/v1/live", deprecated: false },
];
/** Deprecation date (RFC 9745): 2026-11-22. */
const DEPRECATED_SINCE = "@1795305600";
/** The date after which the paths may be removed (RFC 8594): a year later. */
const SUNSET = "Mon, 22 Nov 2027 00:00:00 GMT";

/** Fast check: most paths are canonical, and only those with an alias prefix are looked up. */
const ALIAS_PREFIX = new RegExp(`^(?:${PATH_ALIASES.map(({ path }) => path).join("|")})(?:/|$)`);
const findAlias = (path: string) =>
  ALIAS_PREFIX.test(path) ? PATH_ALIASES.find((alias) => path === alias.path || path.startsWith(`${alias.path}/`)) : undefined;

/** Hono's trie takes a segment of the path that is spelled like a pattern for that pattern, and runs its handlers twice. */
const PATTERN_SEGMENT = /\/[:*]/g;

/** Longer ones, which no operation has, are not repeated in a header: clients bound the size of all headers. */
const MAX_LINKED_PATH = 1_024;

/** The path for route matching. Ignores trailing slashes. */
export function canonicalPath(request: Request): string {
  const path = getPathNoStrict(request).replace(PATTERN_SEGMENT, (start) => (start === "/:" ? "/%3A" : "/%2A"));
  const alias = findAlias(path);
  return alias ? alias.canonical + path.slice(alias.path.length) : path;
}

/** Adds the headers Deprecation and Sunset and a link to the successor path (RFC 8288, RFC 5829). */
export const addDeprecationHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const alias = findAlias(getPathNoStrict(c.req.raw));
  if (!alias?.deprecated) return;
  c.header("Deprecation", DEPRECATED_SINCE);
  c.header("Sunset", SUNSET);
  // Still percent-encoded, as a header value requires.
  const { pathname } = new URL(c.req.url);
  const rest = pathname.startsWith(alias.path) ? pathname.slice(alias.path.length) : "";
  if (rest.length > MAX_LINKED_PATH) return;
  c.header("Link", `<${(alias.canonical + rest).replace(/(?<!\/)\/+$/, "")}>; rel="successor-version"`);
};

/** Adds the alias paths to the OpenAPI document. */
export function addAliasPaths<T extends object>(paths: Record<string, T>): Record<string, T> {
  const aliasEntries = PATH_ALIASES.flatMap(({ path, canonical, deprecated }) =>
    Object.entries(paths)
      .filter(([existingPath]) => existingPath === canonical || existingPath.startsWith(`${canonical}/`))
      .map(([existingPath, item]) => [path + existingPath.slice(canonical.length), copyOperations(item, deprecated)] as const),
  );
  return { ...paths, ...Object.fromEntries(aliasEntries) };
}

function copyOperations<T extends object>(item: T, deprecated: boolean): T {
  const copy = structuredClone(item);
  for (const operation of Object.values(copy)) if (deprecated) Object.assign(operation, { deprecated });
  return copy;
}
