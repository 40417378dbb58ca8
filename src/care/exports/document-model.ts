// A document as data: every word in its language, nothing looked up. PDF and DOCX are made of it.

export type TextDirection = "ltr" | "rtl";
export type Letterhead = { name: string; address: string | null; phone: string | null; email: string | null };
export type DocumentPatient = {
  number: string;
  name: string;
  /** `2026-11-30`, or a year alone. */
  date_of_birth: string | null;
  sex: string | null;
};

export type DocumentBlock =
  | { type: "heading"; level: 1 | 2 | 3; text: string }
  | { type: "paragraph"; text: string }
  | { type: "key_values"; items: readonly { key: string; value: string }[] }
  /** Each row has a cell per column. */
  | { type: "table"; columns: readonly string[]; rows: readonly (readonly string[])[] }
  | { type: "list"; ordered: boolean; items: readonly string[] }
  | { type: "page_break" }
  | { type: "notice"; level: "info" | "warning"; text: string };

/** Lines of the seal, in words. */
export type DocumentSignature = { title: string; lines: readonly string[] };

/** At most `MAX_BLOCKS` blocks and `MAX_MODEL_BYTES` of JSON. */
export type DocumentModel = {
  /** BCP 47. */
  language: string;
  dir: TextDirection;
  title: string;
  letterhead: Letterhead;
  patient: DocumentPatient;
  blocks: readonly DocumentBlock[];
  /** Null for a document that nobody signed. */
  signature: DocumentSignature | null;
  /** False: the document says in red that it is not as signed. Null for one without a signature. */
  as_signed: boolean | null;
  footer: string;
  /** Which sentence says that a person decides; null where no software helped. */
  decision_support: string | null;
  /** Said at the top if no font has some character; the document shows a box for each of those. */
  missing_characters: string;
  /** ISO time in UTC. */
  created_at: string;
  /** IANA. */
  time_zone: string;
};

export const MAX_BLOCKS = 200;
export const MAX_MODEL_BYTES = 1_048_576;
