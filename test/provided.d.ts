// What vitest.config.ts hands to tests that run where there are no files.
import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** PDFs of ../shared/data/{ecg,hostile}/pdf, or none where that folder is absent. */
    pdfs: { path: string; base64: string }[];
  }
}
