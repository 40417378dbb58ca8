// The strings of requests that the OpenAPI document describes, and bodies with other texts in them.
import type { ApiDocument, Json, Operation, Schema } from "./document.ts";
import { resolveSchema } from "./document.ts";

/** `path` leads to the string in a body or names the parameter; lists have one item, maps the key `answer`. */
export type TextField = {
  path: (string | number)[];
  maxLength: number;
  /** Any text fits, as in a name or a note; otherwise the string has a format or a pattern. */
  isFree: boolean;
};

/** Without a declared maximum. */
const LONG = 2_000;
/** References, codes and secrets: free for the schema, but not for the product. */
const REFERENCE = /(_id|^code|token|password)$/;

function fieldsOf(document: ApiDocument, given: Schema, path: (string | number)[]): TextField[] {
  const schema = resolveSchema(document, given);
  const types = [schema.type ?? []].flat();
  const options = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const isText = types.includes("string") && !schema.enum && schema.const === undefined && schema.format !== "binary";
  const isFree = schema.format === undefined && schema.pattern === undefined && !REFERENCE.test(String(path[0]));
  const { additionalProperties: rest } = schema;
  return [
    ...(isText ? [{ path, maxLength: schema.maxLength ?? LONG, isFree }] : []),
    ...options.flatMap((option) => fieldsOf(document, option, path)),
    ...(schema.items ? fieldsOf(document, schema.items, [...path, 0]) : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => fieldsOf(document, inner, [...path, name])),
    ...(typeof rest === "object" ? fieldsOf(document, rest, [...path, "answer"]) : []),
  ];
}

/** Strings that clients choose, each once: no enumerations and no files. */
export function listTextFields(document: ApiDocument, { operation }: Operation, where: "body" | "query"): TextField[] {
  const found =
    where === "body"
      ? Object.values(operation.requestBody?.content ?? {}).flatMap(({ schema }) => fieldsOf(document, schema, []))
      : (operation.parameters ?? [])
          .filter((parameter) => parameter.in === "query")
          .flatMap(({ name, schema }) => fieldsOf(document, schema, [name]));
  const unique = new Map(found.filter(({ path }) => path.length > 0).map((field) => [field.path.join("."), field]));
  return [...unique.values()];
}

function withText(value: Json | undefined, [first, ...rest]: (string | number)[], text: string): Json {
  if (first === undefined) return text;
  if (typeof first === "number") return [withText(Array.isArray(value) ? value[0] : undefined, rest, text)];
  const members = typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  return { ...members, [first]: withText(members[first], rest, text) };
}

/** The body with each text in its field. */
export function withTexts(body: Json, texts: { field: TextField; text: string }[]): Json {
  return texts.reduce((changed, { field, text }) => withText(changed, field.path, text), body);
}
