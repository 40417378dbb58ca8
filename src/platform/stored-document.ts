// JSON documents that objects store: a format version in each, upgrades from every earlier one, and a schema on reading.
import type { z } from "zod";

/** Changes a document of one format version into the next. It gets what was stored, which may be damaged. */
export type Upgrade = (content: unknown) => unknown;

export type StoredDocument<T> = {
  name: string;
  /** The content with the version; for what is not JSON text, such as the attachment of a socket. */
  wrap: (content: T) => { formatVersion: number; content: T };
  write: (content: T) => string;
  /** @throws StoredDocumentError */
  read: (text: string) => T;
  /** As `read`, from what `wrap` made. @throws StoredDocumentError */
  unwrap: (stored: unknown) => T;
  /** In the newest format and not held against the schema: to save the parts of a damaged document. @throws StoredDocumentError */
  unchecked: (text: string) => unknown;
};

/** A document that cannot be read. The message names the document and the place in it, never a value. */
export class StoredDocumentError extends Error {
  override name = "StoredDocumentError";
  readonly document: string;
  /** Written by a later version of the code, so that it must not be overwritten. */
  readonly isNewer: boolean;
  /** Where in the document, e.g. `alarm.vitals.8867-4.lastValue`; empty for all of it. */
  readonly position: string;

  constructor(document: string, position: string, reason: string, isNewer = false) {
    super(`The stored document "${document}" cannot be read${position && ` at ${position}`}: ${reason}`);
    this.document = document;
    this.position = position;
    this.isNewer = isNewer;
  }
}

/**
 * @param upgrades from version 1 to 2, from 2 to 3, and so on: add at the end, never edit. A document without a version is of
 *   version 1: that is how they were stored before they had one.
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

/** The content in the newest format, not yet held against the schema. @throws StoredDocumentError */
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

/** The object with other names for its own keys; anything else as it is. For upgrades. */
export function renameKeys(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [Object.hasOwn(names, key) ? names[key] : key, item]));
}

/** The object with its values changed; anything else as it is. For upgrades. */
export function mapValues(value: unknown, change: (item: unknown, key: string) => unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item, key)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
