// The settings and corrections tables of a patient's object.
import { type StoredDocument, StoredDocumentError } from "../../../platform/stored-document.ts";
import type { CorrectionBody } from "../samples/correction.ts";
import { correctionDocument } from "./documents.ts";

/** `body` is null when it is unreadable. */
export type Correction = { block: number; place: number; body: CorrectionBody | null };

export class Documents {
  readonly #sql: SqlStorage;
  readonly #report: (error: StoredDocumentError) => void;
  readonly #hasTables: () => boolean;

  /** @param report called with the error of each unreadable document */
  constructor(sql: SqlStorage, report: (error: StoredDocumentError) => void, hasTables: () => boolean) {
    this.#sql = sql;
    this.#report = report;
    this.#hasTables = hasTables;
  }

  #read<T>(document: StoredDocument<T>, text: string, fallback: T | null): T | null {
    try {
      return document.read(text);
    } catch (error) {
      if (!(error instanceof StoredDocumentError)) throw error;
      this.#report(error);
      return fallback;
    }
  }

  /** @param fallback the value for an unreadable document  @returns null when there is none */
  setting<T>(document: StoredDocument<T>, fallback: T | null = null): T | null {
    if (!this.#hasTables()) return null;
    const [row] = this.#sql.exec<{ value: string }>("SELECT value FROM settings WHERE name = ?", document.name).toArray();
    return row ? this.#read(document, row.value, fallback) : null;
  }

  saveSetting<T>(document: StoredDocument<T>, value: T): void {
    this.#sql.exec(
      "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      document.name,
      document.write(value),
    );
  }

  /** The corrections of a block. */
  corrections(block: number): Correction[] {
    if (!this.#hasTables()) return [];
    return this.#sql
      .exec<{ place: number; body: string }>("SELECT place, body FROM corrections WHERE block = ?", block)
      .toArray()
      .map(({ place, body }) => ({ block, place, body: this.#read(correctionDocument, body, null) }));
  }

  allCorrections(): Correction[] {
    if (!this.#hasTables()) return [];
    return this.#sql
      .exec<{ block: number; place: number; body: string }>("SELECT block, place, body FROM corrections ORDER BY block, place")
      .toArray()
      .map(({ block, place, body }) => ({ block, place, body: this.#read(correctionDocument, body, null) }));
  }

  correctionCount(): number {
    if (!this.#hasTables()) return 0;
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM corrections").one().n;
  }

  /** Null when there is none or it is unreadable; the audit log names its author and time. */
  correction(block: number, place: number): CorrectionBody | null {
    const [row] = this.#sql
      .exec<{ body: string }>("SELECT body FROM corrections WHERE block = ? AND place = ?", block, place)
      .toArray();
    return row ? this.#read(correctionDocument, row.body, null) : null;
  }

  correct(block: number, place: number, body: CorrectionBody): void {
    this.#sql.exec(
      "INSERT INTO corrections (block, place, body) VALUES (?, ?, ?) ON CONFLICT (block, place) DO UPDATE SET body = excluded.body",
      block,
      place,
      correctionDocument.write(body),
    );
  }
}
