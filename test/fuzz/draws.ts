// Which operation, principal and kind of request comes next, from a seed.
import { mulberry32 } from "../../cli/random.ts";
import { PATH_ALIASES } from "../../src/http/path-aliases.ts";
import { ROUTES } from "../authz.routes.ts";
import type { Operation } from "./document.ts";
import type { Intent } from "./plans.ts";
import type { FuzzWorld } from "./world.ts";

/** Requests that end the sender's own session or lock its account: rare, because each costs a new login. */
const RARE = /\/auth\/(logout|sessions|password|login)|^\/api\/token$|\/users\/\{user_id\}/;
/** The same name as in the matrix of permissions, which knows no aliases. */
function ruleOf({ method, path }: Operation) {
  const alias = PATH_ALIASES.find(({ path: prefix }) => path === prefix || path.startsWith(`${prefix}/`));
  const canonical = alias ? alias.canonical + path.slice(alias.path.length) : path;
  return ROUTES[`${method} ${canonical.replace(/\{(\w+)\}/g, ":$1")}`];
}

function allowedGroups(operation: Operation, groups: FuzzWorld["groups"]): string[] {
  const rule = ruleOf(operation);
  const names = [...groups.keys()];
  if (!rule || rule.about === "public") return names;
  const takesDevices = ["upload", "batch", "samples", "stream", "report"].includes(rule.about);
  return names.filter((name) => {
    const role = groups.get(name)?.[0]?.role;
    if (role === undefined || role === "none") return false;
    if (role === "app") return rule.scopes !== undefined;
    return role === "device" ? takesDevices : rule.who.includes(role);
  });
}

export type Draw = { operation: Operation; group: string; member: number; intent: Intent; seed: number };

/** @returns what a request of the run is about; the same for the same seed and index */
export function createDraw(seed: number, operations: Operation[], groups: FuzzWorld["groups"]): (index: number) => Draw {
  const weighted = operations.flatMap((operation) => Array.from({ length: RARE.test(operation.path) ? 1 : 4 }, () => operation));
  const names = [...groups.keys()];
  const roleOf = (name: string) => groups.get(name)?.[0]?.role ?? "none";
  return (index: number): Draw => {
    const random = mulberry32((seed * 1_000_003 + index * 7_919) >>> 0);
    const pick = <T>(list: readonly T[]): T => {
      const chosen = list[Math.floor(random() * list.length)];
      if (chosen === undefined) throw new Error("nothing to draw from");
      return chosen;
    };
    const operation = pick(weighted);
    const allowed = allowedGroups(operation, groups);
    // By role first: there are many more groups of apps than of nurses.
    const role = allowed.length > 0 && random() < 0.8 ? pick([...new Set(allowed.map(roleOf))]) : null;
    const group = pick(role === null ? names : allowed.filter((name) => roleOf(name) === role));
    const member = Math.floor(random() * 1_000);
    const share = random();
    const intent = share < 0.55 ? "valid" : share < 0.85 ? "near" : "hostile";
    return { operation, group, member, intent, seed: Math.floor(random() * 2 ** 31) };
  };
}
