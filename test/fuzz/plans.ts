// Generated requests before ids are known: a valid request of an operation, then none, one or several changes to it.
import fc from "fast-check";
import { applyChange, type Change } from "./changes.ts";
import type { ApiDocument, Json, Operation, Parameter, Schema } from "./document.ts";
import { namedValue, schemaValue, type ValueContext } from "./values.ts";

export type PlannedBody =
  | { kind: "none" }
  | { kind: "json"; value: Json }
  /** Sent as it is. */
  | { kind: "raw"; text: string }
  | { kind: "urlencoded"; fields: [string, string][] }
  | { kind: "multipart"; fields: [string, string][]; files: number }
  | { kind: "pdf" };

export type Plan = {
  method: string;
  /** The path template; parameters are in `segments`. */
  path: string;
  /** Values of path parameters with placeholders; `raw` ones are sent without percent-encoding. */
  segments: Record<string, { text: string; raw?: true }>;
  query: [string, string][];
  headers: [string, string][];
  contentType: string | null;
  body: PlannedBody;
  /** What was changed, for the report. */
  changes: string[];
};

export const INTENTS = ["valid", "near", "hostile"] as const;
export type Intent = (typeof INTENTS)[number];
const CHANGE_COUNTS: Record<Intent, [number, number]> = { valid: [0, 0], near: [1, 1], hostile: [2, 5] };

const toText = (value: Json): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

function parameterValue(context: ValueContext, { name, schema }: Parameter): fc.Arbitrary<string> {
  return (namedValue(context, name, schema) ?? schemaValue(context, schema, name)).map(toText);
}

/** An optional member with one chance in four. */
function optionally<T>(arbitrary: fc.Arbitrary<T>, isRequired: boolean): fc.Arbitrary<T | undefined> {
  if (isRequired) return arbitrary;
  return fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary, weight: 1 });
}

function pairs(context: ValueContext, parameters: Parameter[]): fc.Arbitrary<[string, string][]> {
  const each = parameters.map((parameter) =>
    optionally(parameterValue(context, parameter), parameter.required ?? false).map((value): [string, string][] =>
      value === undefined ? [] : [[parameter.name, value]],
    ),
  );
  return fc.tuple(...each).map((lists) => lists.flat());
}

/** The documented example with generated members on top, or a body that is generated alone. */
function jsonBody(context: ValueContext, schema: Schema, example: Json | undefined): fc.Arbitrary<Json> {
  const generated = schemaValue(context, schema, "");
  if (example === undefined || typeof example !== "object" || example === null || Array.isArray(example)) return generated;
  const named = Object.entries(example).map(([name, value]) => {
    const own = namedValue(context, name, {}) ?? fc.constant(value);
    return own.map((chosen): [string, Json] => [name, chosen]);
  });
  const fromExample = fc.tuple(...named).map((entries): Json => Object.fromEntries(entries));
  return fc.oneof({ arbitrary: fromExample, weight: 3 }, { arbitrary: generated, weight: 4 });
}

function formFields(context: ValueContext, schema: Schema): fc.Arbitrary<[string, string][]> {
  const properties = Object.entries(schema.properties ?? {}).filter(([name]) => name !== "file");
  const parameters = properties.map(([name, inner]) => ({
    name,
    in: "form",
    required: schema.required?.includes(name) ?? false,
    schema: inner,
  }));
  return pairs(context, parameters);
}

/** Required of a PDF as the whole body. */
const DIGEST: [string, string] = ["X-Content-SHA256", "«digest»"];

type Sent = { contentType: string | null; body: PlannedBody };

function bodyOf(context: ValueContext, { operation }: Operation): fc.Arbitrary<Sent> {
  const choices = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema, example }]): fc.Arbitrary<Sent> => {
    if (type === "application/pdf") return fc.constant({ contentType: type, body: { kind: "pdf" } });
    const resolved = context.resolve(schema);
    if (type === "application/x-www-form-urlencoded") {
      return formFields(context, resolved).map((fields) => ({ contentType: type, body: { kind: "urlencoded", fields } }));
    }
    if (type === "multipart/form-data") {
      const files = resolved.properties?.["file"]?.type === "array" ? fc.integer({ min: 1, max: 3 }) : fc.constant(1);
      return fc
        .tuple(formFields(context, resolved), files)
        .map(([fields, count]) => ({ contentType: type, body: { kind: "multipart", fields, files: count } }));
    }
    return jsonBody(context, resolved, example).map((value) => ({ contentType: type, body: { kind: "json", value } }));
  });
  return choices.length === 0 ? fc.constant({ contentType: null, body: { kind: "none" } }) : fc.oneof(...choices);
}

function validPlan(context: ValueContext, operation: Operation): fc.Arbitrary<Plan> {
  const parameters = operation.operation.parameters ?? [];
  const of = (where: string) => parameters.filter((parameter) => parameter.in === where);
  const headers = pairs(
    context,
    of("header").map((parameter) => ({ ...parameter, required: parameter.name === "if-match" })),
  );
  const segments = pairs(
    context,
    of("path").map((parameter) => ({ ...parameter, required: true })),
  );
  const upgrade: [string, string][] = operation.operation.responses["101"]
    ? [
        ["Upgrade", "websocket"],
        ["Connection", "Upgrade"],
        ["Sec-WebSocket-Version", "13"],
        ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
      ]
    : [];
  return fc
    .tuple(segments, pairs(context, of("query")), headers, bodyOf(context, operation))
    .map(([path, query, header, { contentType, body }]) => ({
      method: operation.method,
      path: operation.path,
      segments: Object.fromEntries(path.map(([name, text]) => [name, { text }])),
      query,
      headers: [...header, ...upgrade, ...(body.kind === "pdf" && !header.some(([name]) => name === DIGEST[0]) ? [DIGEST] : [])],
      contentType,
      body,
      changes: [],
    }));
}

const change: fc.Arbitrary<Change> = fc.record({
  part: fc.constantFrom("body", "query", "content", "path", "header", "method"),
  how: fc.nat(99),
  at: fc.nat(9_999),
  pick: fc.nat(9_999),
});

/** @returns requests of one operation, for the same seed always the same */
export function createPlanner(
  document: ApiDocument,
  isRaw: boolean,
): (operation: Operation, intent: Intent) => fc.Arbitrary<Plan> {
  const made = new Map<string, fc.Arbitrary<Plan>>();
  return (operation, intent) => {
    const key = `${intent} ${operation.name}`;
    const existing = made.get(key);
    if (existing) return existing;
    const context = createContext(document, operation);
    const [minLength, maxLength] = CHANGE_COUNTS[intent];
    const arbitrary = fc
      .tuple(validPlan(context, operation), fc.array(change, { minLength, maxLength }))
      .map(([plan, changes]) => changes.reduce((changed, one) => applyChange(changed, one, operation, context, isRaw), plan));
    made.set(key, arbitrary);
    return arbitrary;
  };
}

function createContext(document: ApiDocument, operation: Operation): ValueContext {
  return {
    operation,
    resolve: (schema) => {
      const name = schema.$ref?.replace("#/components/schemas/", "");
      return name === undefined ? schema : (document.components.schemas[name] ?? {});
    },
  };
}
