// Canonical JSON (RFC 8785): one spelling per value, so that its hash can be computed again from the stored data.

/** Nesting of values; an event's `detail` has a few levels. */
const MAX_DEPTH = 16;

/**
 * Members sorted by UTF-16 code units, no white space, strings and numbers as ECMAScript serializes them (RFC 8785, section 3.2).
 * @throws TypeError for what JSON does not represent exactly: undefined, NaN, Infinity, lone surrogates, class instances
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new TypeError("the value is nested too deeply");
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string" && value.isWellFormed()) return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonicalJson(item, depth + 1)).join(",")}]`;
  if (isPlainObject(value)) {
    const members = Object.keys(value).sort();
    return `{${members.map((name) => `${canonicalJson(name, depth)}:${canonicalJson(value[name], depth + 1)}`).join(",")}}`;
  }
  throw new TypeError(`no canonical JSON for a value of type ${typeof value}`);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
