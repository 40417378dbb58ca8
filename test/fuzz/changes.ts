// Changes to a valid request: values at and beyond each declared bound, other types, and other parts of the message.
import type { Json, Operation, Schema } from "./document.ts";
import {
  DOT_SEGMENTS,
  HOSTILE_BODIES,
  HOSTILE_HEADERS,
  HOSTILE_JSON,
  HOSTILE_MEDIA_TYPES,
  HOSTILE_SEGMENTS,
  HOSTILE_STRINGS,
  HOSTILE_TIMES,
  OTHER_METHODS,
} from "./hostile-values.ts";
import type { Plan } from "./plans.ts";
import type { ValueContext } from "./values.ts";

/** `how`, `at` and `pick` choose among what the part has to offer; 0 is the simplest, so that a failure shrinks to it. */
export type Change = {
  part: "body" | "query" | "content" | "path" | "header" | "method";
  how: number;
  at: number;
  pick: number;
};

function choose<T>(list: readonly T[], n: number): T {
  const chosen = list[n % list.length];
  if (chosen === undefined) throw new Error("nothing to choose from");
  return chosen;
}

/** Values at, just inside and just outside every bound that the schema declares. */
export function boundaryValues(schema: Schema): Json[] {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, format } = schema;
  const around = (bound: number | undefined) => (bound === undefined ? [] : [bound - 1, bound, bound + 1]);
  const lengths = [...around(minLength), ...around(maxLength)].filter((length) => length >= 0 && length <= 120_000);
  const counts = [...around(minItems), ...around(maxItems)].filter((count) => count >= 0 && count <= 2_000);
  const item = schema.items?.enum?.[0] ?? (schema.items?.type === "string" ? "a" : {});
  return [
    ...around(minimum),
    ...around(maximum),
    ...lengths.flatMap((length) => ["a".repeat(length), "é".repeat(length), "👍".repeat(Math.ceil(length / 2))]),
    ...counts.map((count) => Array.from({ length: count }, () => item)),
    ...(format === "date-time" || format === "date" ? HOSTILE_TIMES : []),
    ...(schema.enum ?? []).flatMap((value) => [value, typeof value === "string" ? ` ${value.toUpperCase()} ` : null]),
  ];
}

const isRecord = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type Place = { path: (string | number)[]; schema: Schema };

/** Every member of a body that is there or could be. */
function listPlaces(context: ValueContext, value: Json | undefined, given: Schema, path: (string | number)[] = []): Place[] {
  const schema = context.resolve(given);
  const options = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].map(context.resolve);
  const properties: Record<string, Schema> = Object.assign({}, ...options.map((one) => one.properties), schema.properties);
  const own: Place = { path, schema };
  if (Array.isArray(value)) {
    const [first] = value;
    return [own, ...(first === undefined ? [] : listPlaces(context, first, schema.items ?? {}, [...path, 0]))];
  }
  const names = new Set([...Object.keys(properties), ...(isRecord(value) ? Object.keys(value) : [])]);
  const inner = [...names].flatMap((name) =>
    listPlaces(context, isRecord(value) ? value[name] : undefined, properties[name] ?? {}, [...path, name]),
  );
  return [own, ...inner];
}

/** @param change receives the value at the place; undefined removes it */
function changeAt(
  value: Json | undefined,
  path: (string | number)[],
  change: (value: Json | undefined) => Json | undefined,
): Json {
  const [first, ...rest] = path;
  if (first === undefined) return change(value) ?? null;
  if (Array.isArray(value) && typeof first === "number") {
    const changed = rest.length === 0 ? change(value[first]) : changeAt(value[first], rest, change);
    return value.flatMap((item, i) => (i !== first ? [item] : changed === undefined ? [] : [changed]));
  }
  const { [String(first)]: old, ...others } = isRecord(value) ? value : {};
  const changed = rest.length === 0 ? change(old) : changeAt(old, rest, change);
  return changed === undefined ? others : { ...others, [String(first)]: changed };
}

function changeBody(plan: Plan, { how, at, pick }: Change, operation: Operation, context: ValueContext): Plan {
  const { body } = plan;
  if (body.kind === "urlencoded" || body.kind === "multipart") {
    const [name] = body.fields[at % Math.max(1, body.fields.length)] ?? ["kind"];
    const others = body.fields.filter(([field]) => field !== name);
    const value = choose(HOSTILE_STRINGS, pick);
    const fields: [string, string][] =
      how % 3 === 0 ? others : how % 3 === 1 ? [...others, [name, value]] : [...body.fields, [name, value]];
    return { ...plan, body: { ...body, fields }, changes: [...plan.changes, `field ${name}`] };
  }
  if (body.kind !== "json") return changeContent(plan, { part: "content", how, at, pick });
  const media = operation.operation.requestBody?.content["application/json"];
  const places = listPlaces(context, body.value, media?.schema ?? {});
  const place = choose(places, at);
  const bounds = boundaryValues(place.schema);
  const changed = (change: (value: Json | undefined) => Json | undefined, what: string): Plan => ({
    ...plan,
    body: { kind: "json", value: changeAt(body.value, place.path, change) },
    changes: [...plan.changes, `${what} ${place.path.join(".") || "body"}`],
  });
  if (how < 10) return changed(() => undefined, "without");
  if (how < 60 && bounds.length > 0) return changed(() => choose(bounds, pick), "bound of");
  if (how < 85) return changed(() => choose(HOSTILE_JSON, pick), "hostile");
  if (how < 90)
    return changed((value) => (isRecord(value) ? { ...value, unknown_member: 1 } : [value ?? null]), "another shape of");
  if (how < 95) return changed((value) => Array.from({ length: 300 }, () => value ?? 1), "300 of");
  return changed((value) => (typeof value === "string" ? value.toUpperCase() : String(value)), "text of");
}

function changeQuery(plan: Plan, { how, at, pick }: Change, operation: Operation): Plan {
  const declared = (operation.operation.parameters ?? []).filter((parameter) => parameter.in === "query");
  const parameter = declared[at % Math.max(1, declared.length)];
  const others = plan.query.filter(([name]) => name !== parameter?.name);
  const done = (query: [string, string][], what: string): Plan => ({ ...plan, query, changes: [...plan.changes, what] });
  if (how < 15 || !parameter)
    return done([...plan.query, [choose(["unknown", "Limit", "limit ", "", "a[b]"], pick), "1"]], "unknown query");
  const bounds = boundaryValues(parameter.schema).map(String);
  if (how < 25) return done([...others, [parameter.name, "1"], [parameter.name, "2"]], `${parameter.name} twice`);
  if (how < 70 && bounds.length > 0)
    return done([...others, [parameter.name, choose(bounds, pick)]], `bound of ${parameter.name}`);
  return done([...others, [parameter.name, choose(HOSTILE_STRINGS, pick)]], `hostile ${parameter.name}`);
}

/** Body and content type that do not fit each other, or no operation at all. */
function changeContent(plan: Plan, { how, pick }: Change): Plan {
  const done = (part: Partial<Plan>, what: string): Plan => ({ ...plan, ...part, changes: [...plan.changes, what] });
  if (how < 20) return done({ body: { kind: "none" }, contentType: null }, "no body");
  if (how < 30) return done({ body: { kind: "raw", text: "" }, contentType: "application/json" }, "empty body");
  if (how < 40) return done({ body: { kind: "raw", text: "" }, contentType: null }, "empty body without a type");
  if (how < 50) return done({ contentType: null }, "no content type");
  if (how < 70) return done({ contentType: choose(HOSTILE_MEDIA_TYPES, pick) }, "another content type");
  return done({ body: { kind: "raw", text: choose(HOSTILE_BODIES, pick) }, contentType: "application/json" }, "another body");
}

function changePath(plan: Plan, change: Change, isRaw: boolean): Plan {
  const { how, at, pick } = change;
  const names = Object.keys(plan.segments);
  if (names.length === 0) {
    const path = choose([`${plan.path}/`, `${plan.path}//`, plan.path.replace("/", "//"), `${plan.path}/x`], pick);
    return { ...plan, path, changes: [...plan.changes, "another path"] };
  }
  const name = choose(names, at);
  const set = (text: string, raw: boolean, what: string): Plan => ({
    ...plan,
    segments: { ...plan.segments, [name]: { text, ...(raw && { raw: true }) } },
    changes: [...plan.changes, `${what} ${name}`],
  });
  if (how < 20)
    return set(
      `«strange:${choose(["user_id", "ward_id", "report_id", "device_id", "patient_id"], pick)}:${at}»`,
      false,
      "other id as",
    );
  if (how < 35) return set(choose(HOSTILE_STRINGS, pick).slice(0, 3_000), false, "hostile");
  if (how < 50 && isRaw) return set(choose(DOT_SEGMENTS, pick), true, "dots as");
  return set(choose(HOSTILE_SEGMENTS, pick), true, "raw");
}

function changeHeader(plan: Plan, { at, pick }: Change): Plan {
  const [name, values] = choose(HOSTILE_HEADERS, at);
  const others = plan.headers.filter(([header]) => header.toLowerCase() !== name.toLowerCase());
  return { ...plan, headers: [...others, [name, choose(values, pick)]], changes: [...plan.changes, `header ${name}`] };
}

/** @param isRaw whether the client sends paths unchanged */
export function applyChange(plan: Plan, change: Change, operation: Operation, context: ValueContext, isRaw: boolean): Plan {
  switch (change.part) {
    case "body":
      return changeBody(plan, change, operation, context);
    case "query":
      return changeQuery(plan, change, operation);
    case "content":
      return changeContent(plan, change);
    case "path":
      return changePath(plan, change, isRaw);
    case "header":
      return changeHeader(plan, change);
    case "method":
      return {
        ...plan,
        method: choose(OTHER_METHODS, change.pick),
        // The local runtime itself answers an upgrade by another method than GET.
        headers: plan.headers.filter(([name]) => name !== "Upgrade"),
        changes: [...plan.changes, "another method"],
      };
  }
}
