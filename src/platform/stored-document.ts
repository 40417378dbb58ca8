// Versioned JSON documents in object storage: a format version, upgrades from every earlier version, and a schema on read.
import type { z } from "zod";

/** Upgrades a document from one format version to the next. The input is as stored and may be damaged. */
export type Upgrade = (content: unknown) => unknown;

export type StoredDocument<T> = {
  name: string;
  /** The content with the version, for storage that is not JSON text, such as a socket attachment. */
  wrap: (content: T) => { formatVersion: number; content: T };
  write: (content: T) => string;
  /** @throws StoredDocumentError */
  read: (text: string) => T;
  /** Like `read`, for output of `wrap`. @throws StoredDocumentError */
  unwrap: (stored: unknown) => T;
  /** Upgraded but not validated, to recover the readable parts of a damaged document. @throws StoredDocumentError */
  unchecked: (text: string) => unknown;
};

/** A document that cannot be read. The message names the document and the position in it, never a value. */
export class StoredDocumentError extends Error {
  override name = "StoredDocumentError";
  readonly document: string;
  /** Written by a later version of the code; must not be overwritten. */
  readonly isNewer: boolean;
  /** Position in the document, e.g. `alarm.vitals.8867-4.lastValue`; empty for the whole document. */
  readonly position: string;

  constructor(document: string, position: string, reason: string, isNewer = false) {
    super(`The stored document "${document}" cannot be read${position && ` at ${position}`}: ${reason}`);
    this.document = document;
    this.position = position;
    this.isNewer = isNewer;
  }
}

/**
 * @param upgrades from version 1 to 2, 2 to 3, and so on: add at the end, never edit. A document without a version is version 1,
 *   because the first documents were stored without one.
 */
export function storedDocument<T>(name: string, schema: z.ZodType<T>, upgrades: readonly Upgrade[] = []): StoredDocument<T> {
  const formatVersion = upgrades.length + 1;
  const wrap = (content: T) => ({ formatVersion, content });
  const unwrap = (stored: unknown) => {
    const parsed = schema.safeParse(upgraded(name, stored, upgrades));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new StoredDocumentError(name, issue?.path.join(".") ?? "", issue?.code ?? "invalid");
  };
  return {
    name,
    wrap,
    unwrap,
    write: (content) => JSON.stringify(wrap(content)),
    read: (text) => unwrap(jsonOf(name, text)),
    unchecked: (text) => upgraded(name, jsonOf(name, text), upgrades),
  };
}

/** The content in the newest format, before validation. @throws StoredDocumentError */
function upgraded(name: string, stored: unknown, upgrades: readonly Upgrade[]): unknown {
  const { version, content } = versionOf(stored);
  if (!Number.isSafeInteger(version) || version < 1 || version > upgrades.length + 1) {
    const known = `this code knows versions 1 to ${upgrades.length + 1}`;
    throw new StoredDocumentError(name, "formatVersion", known, version > upgrades.length + 1);
  }
  return upgrades.slice(version - 1).reduce<unknown>((before, upgrade) => upgrade(before), content);
}

function versionOf(stored: unknown): { version: number; content: unknown } {
  if (typeof stored !== "object" || stored === null || !("formatVersion" in stored)) return { version: 1, content: stored };
  return { version: Number(stored.formatVersion), content: "content" in stored ? stored.content : undefined };
}

function jsonOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StoredDocumentError(name, "", "it is not JSON");
  }
}

/** The object with its own keys renamed; other values unchanged. For upgrades. */
export function renameKeys(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [Object.hasOwn(names, key) ? names[key] : key, item]));
}

/** The object with its values mapped; other values unchanged. For upgrades. */
export function mapValues(value: unknown, change: (item: unknown, key: string) => unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item, key)]));
}

/** The object's entries in objects by the first part of their split keys; empty for other values. For upgrades. */
export function nestKeys(
  value: unknown,
  split: (key: string, item: unknown) => [outer: string, inner: string],
): Record<string, Record<string, unknown>> {
  const nested: Record<string, Record<string, unknown>> = {};
  for (const [key, item] of isRecord(value) ? Object.entries(value) : []) {
    const [outer, inner] = split(key, item);
    nested[outer] = { ...nested[outer], [inner]: item };
  }
  return nested;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
