// The OpenAPI document as data: its types, its operations, and the operation that a path and method reach.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Schema = {
  [key: string]: unknown;
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
  enum?: Json[];
  const?: Json;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
};
export type Content = Record<string, { schema: Schema; example?: Json }>;
export type Parameter = { name: string; in: string; required?: boolean; schema: Schema };
export type DocumentedResponse = { description: string; headers?: Record<string, unknown>; content?: Content };
export type DocumentedOperation = {
  operationId: string;
  summary?: string;
  tags?: string[];
  deprecated?: boolean;
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, DocumentedResponse>;
};
export type ApiDocument = {
  openapi: string;
  info: { title: string; version: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, unknown> };
};

/** @param path the template, such as `/api/v1/wards/{ward_id}`  @param name such as `GET /api/v1/wards/{ward_id}` */
export type Operation = { path: string; method: string; name: string; operation: DocumentedOperation };

export function listOperations(document: ApiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      name: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
}

/** The schema that a local reference names. */
export function resolveSchema(document: ApiDocument, schema: Schema): Schema {
  const name = schema.$ref?.replace("#/components/schemas/", "");
  const target = name === undefined ? schema : document.components.schemas[name];
  if (!target) throw new Error(`no schema ${schema.$ref}`);
  return target.$ref === undefined ? target : resolveSchema(document, target);
}

/** Finds the documented operations of a path as it was sent; a literal segment is preferred to a parameter. */
export function createFinder(operations: Operation[]): (path: string) => Operation[] {
  const byLength = new Map<number, { segments: string[]; operation: Operation }[]>();
  for (const operation of operations) {
    const segments = operation.path.split("/");
    byLength.set(segments.length, [...(byLength.get(segments.length) ?? []), { segments, operation }]);
  }
  return (path) => {
    const sent = path.replace(/(.)\/$/, "$1").split("/");
    const fitting = (byLength.get(sent.length) ?? []).filter(({ segments }) =>
      segments.every((segment, i) => (segment.startsWith("{") ? sent[i] !== "" : segment === sent[i])),
    );
    const literals = ({ segments }: { segments: string[] }) => segments.filter((segment) => !segment.startsWith("{")).length;
    const most = Math.max(0, ...fitting.map(literals));
    return fitting.filter((one) => literals(one) === most).map(({ operation }) => operation);
  };
}
