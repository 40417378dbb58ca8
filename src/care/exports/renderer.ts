// The Worker that makes files of document models (render/), as the API calls it.
import type { DocumentModel } from "./document-model.ts";

export const DOCUMENT_FORMATS = ["pdf", "docx"] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

export type RenderedDocument = {
  bytes: Uint8Array;
  /** Different characters that no font has; the document shows a box for each and says so. */
  missing_glyphs: number;
  /** Null for a format whose pages only the reader's program knows. */
  pages: number | null;
};

export interface DocumentRenderer {
  /** @throws RangeError if created_at is no time */
  render(model: DocumentModel, format: DocumentFormat): Promise<RenderedDocument>;
}
