// What every answer must fulfil by the OpenAPI document: its status, media type, headers and body are declared.
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { type ApiDocument, type DocumentedResponse, type Json, listOperations, type Operation, type Schema } from "./document.ts";

/** An answer as it arrived; header names in lower case. */
export type Answer = { status: number; headers: Record<string, string>; text: string };
/** `kind` is the same for all answers that are wrong in the same way; `detail` describes this one. */
export type Fault = { kind: string; detail: string };
export type Contract = {
  operations: Operation[];
  /** Validation errors of a value against the schema at a place of the document, such as `["paths", "/health", "get"]`. */
  findSchemaFaults: (value: unknown, ...place: string[]) => string[];
  /** @param operation null if the document has no operation for the request */
  checkAnswer: (method: string, operation: Operation | null, answer: Answer) => Fault[];
};

const PROBLEM = "application/problem+json";
/** Headers that carry information for the client: an answer that has one must declare it. */
const DECLARED_HEADERS = ["etag", "deprecation", "sunset", "link", "location", "allow", "retry-after", "content-range"];
const REQUIRED_HEADERS: Record<number, string> = {
  401: "www-authenticate",
  405: "allow",
  429: "retry-after",
  503: "retry-after",
};
/** Answers to requests without a documented operation, such as a method that the path does not support. */
const OUTSIDE = [400, 401, 403, 404, 405, 408, 413, 415, 426, 429];

/** Responses contain only documented members: the resource in `data` is closed, whatever its composition. */
export function closeResponses(document: ApiDocument): ApiDocument {
  const copy: ApiDocument = JSON.parse(JSON.stringify(document));
  const close = (schema: Schema): Schema => ({ allOf: [schema], unevaluatedProperties: false });
  for (const { operation } of listOperations(copy)) {
    for (const { content } of Object.values(operation.responses)) {
      const properties = content?.["application/json"]?.schema.properties;
      if (!properties?.["data"]) continue;
      const { data } = properties;
      if (data.items) data.items = close(data.items);
      else properties["data"] = close(data);
    }
  }
  return copy;
}

function valueAt(value: unknown, place: string[]): unknown {
  return place.reduce<unknown>((inner, part) => Object(inner)[part], value);
}

export function createContract(document: ApiDocument): Contract {
  const closed = closeResponses(document);
  const ajv = new Ajv2020({ strict: false, validateFormats: false, validateSchema: false, allErrors: true });
  ajv.addSchema({ $id: "doc", components: closed.components });
  /** Each is compiled once, because that takes longer than an answer; aliases and problems share one. */
  const validators = new Map<string, ValidateFunction>();
  const validatorOf = (schema: unknown): ValidateFunction => {
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"doc#/components/');
    const validate = validators.get(text) ?? ajv.compile(JSON.parse(text));
    validators.set(text, validate);
    return validate;
  };
  const findFaults = (value: unknown, schema: unknown): string[] => {
    const validate = validatorOf(schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
  };

  function checkBody(answer: Answer, documented: DocumentedResponse | undefined): Fault[] {
    const type = (answer.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
    if (!documented?.content) return [];
    const media = documented.content[type];
    if (!media)
      return [{ kind: `undeclared media type ${type || "none"} of ${answer.status}`, detail: answer.text.slice(0, 300) }];
    // Not `ndjson`, which has a value per line.
    if (!/\bjson$/.test(type)) return [];
    const value = parseJson(answer.text);
    if (value === undefined) return [{ kind: `body of ${answer.status} is not JSON`, detail: answer.text.slice(0, 300) }];
    // The deepest one: of a union, an error for each other variant comes first.
    const first = findFaults(value, media.schema).reduce<string | null>(
      (deepest, fault) => (deepest && depthOf(deepest) >= depthOf(fault) ? deepest : fault),
      null,
    );
    if (!first) return [];
    // Places in lists vary; the kind does not.
    return [
      { kind: `body of ${answer.status}: ${first.replace(/\/\d+/g, "/*").slice(0, 160)}`, detail: answer.text.slice(0, 600) },
    ];
  }

  return {
    operations: listOperations(document),
    findSchemaFaults: (value, ...place) => findFaults(value, valueAt(closed, place)),
    checkAnswer: (method, operation, answer) => {
      const { status, headers } = answer;
      const faults: Fault[] = [];
      const add = (kind: string, detail = answer.text.slice(0, 300)) => faults.push({ kind, detail });
      const closedOperation = operation && closed.paths[operation.path]?.[operation.method.toLowerCase()];
      const documented = closedOperation?.responses[String(status)];
      // A feature that a deployment has not configured answers 501, where that is declared.
      if (status >= 500 && !(status === 501 && documented)) add(`status ${status}`);
      else if (operation && !documented) add(`undeclared status ${status}`);
      else if (!operation && method !== "OPTIONS" && !OUTSIDE.includes(status)) add(`status ${status} without an operation`);
      if (headers["x-request-id"] === undefined) add("no X-Request-Id");
      const required = REQUIRED_HEADERS[status];
      if (required && headers[required] === undefined) add(`${status} without ${required}`);
      if (documented) {
        const declared = Object.keys(documented.headers ?? {}).map((name) => name.toLowerCase());
        for (const name of DECLARED_HEADERS) {
          if (headers[name] !== undefined && !declared.includes(name))
            add(`undeclared header ${name} of ${status}`, headers[name]);
        }
      }
      if (method === "HEAD" || method === "OPTIONS") return faults;
      if (status >= 400) faults.push(...checkProblem(answer));
      faults.push(...checkBody(answer, documented));
      return faults;
    },
  };
}

const depthOf = (fault: string) => fault.slice(0, fault.indexOf(" ")).split("/").length;

/** @returns undefined for text that is not JSON */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Every error is a problem whose ids identify its log entry. */
function checkProblem({ status, headers, text }: Answer): Fault[] {
  const type = headers["content-type"] ?? "none";
  if (type !== PROBLEM) return [{ kind: `${status} is not a problem, but ${type}`, detail: text.slice(0, 300) }];
  const problem = Object(parseJson(text));
  const wrong = [
    problem.status === status ? "" : "status",
    problem.request_id === headers["x-request-id"] ? "" : "request_id",
    typeof problem.error_id === "string" && problem.error_id !== "" ? "" : "error_id",
  ].filter(Boolean);
  return wrong.length === 0 ? [] : [{ kind: `problem ${status} with a wrong ${wrong.join(", ")}`, detail: text.slice(0, 300) }];
}
