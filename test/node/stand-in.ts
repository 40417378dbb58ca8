// Answers of a stand-in for the service: examples of the OpenAPI document that the product serves, checked against it.
import { app } from "../../src/app.ts";
import { buildOpenApiDocument } from "../../src/service/openapi-routes.ts";
import { createContract } from "../fuzz/contract.ts";
import { type ApiDocument, createFinder } from "../fuzz/document.ts";

const PREFIX = "/api/v1";
const document: ApiDocument = JSON.parse(JSON.stringify(buildOpenApiDocument(app)));
const contract = createContract(document);
const findOperations = createFinder(contract.operations);

type Example = { data: unknown; meta?: { pagination?: object } };

function place(method: string, path: string, status: number): { place: string[]; example: Example } {
  const operation = document.paths[PREFIX + path]?.[method.toLowerCase()];
  const content = operation?.responses[String(status)]?.content?.["application/json"];
  if (!content) throw new Error(`${method} ${path} documents no ${status}`);
  const found = [
    "paths",
    PREFIX + path,
    method.toLowerCase(),
    "responses",
    String(status),
    "content",
    "application/json",
    "schema",
  ];
  return { place: found, example: JSON.parse(JSON.stringify(content.example ?? { data: {} })) };
}

/** @param path the template without `/api/v1`  @param data members that differ from the example; of a list, one per item */
export function standInExample(
  method: string,
  path: string,
  status: number,
  data: object | object[],
  pagination: object = {},
): object {
  const { example } = place(method, path, status);
  if (!Array.isArray(data)) return { ...example, data: { ...Object(example.data), ...data } };
  const [item] = Array.isArray(example.data) ? example.data : [];
  return {
    ...example,
    data: data.map((members: object) => ({ ...Object(item), ...members })),
    meta: { ...example.meta, pagination: { ...example.meta?.pagination, ...pagination } },
  };
}

export function findStandInFaults(method: string, path: string, status: number, answer: object): string[] {
  const faults = contract.findSchemaFaults(answer, ...place(method, path, status).place);
  return faults.map((fault) => `answer ${status} of ${method} ${path}: ${fault}`);
}

/** What a client sends that the document does not have: an operation, or a member of the body. */
export function findRequestFaults(method: string, url: string, body: unknown): string[] {
  const [path = ""] = url.split("?");
  const operation = findOperations(PREFIX + path).find((one) => one.method === method);
  if (!operation) return [`${method} ${path} is not documented`];
  if (body === undefined) return [];
  const content = ["paths", operation.path, method.toLowerCase(), "requestBody", "content", "application/json", "schema"];
  return contract.findSchemaFaults(body, ...content).map((fault) => `request ${method} ${operation.path}: ${fault}`);
}
