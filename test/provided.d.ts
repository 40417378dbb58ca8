// What vitest.config.ts hands to tests in workerd, which has no files, and test/node/served.ts to those of the served product.
import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** PDFs of ../shared/data/{ecg,hostile}/pdf, or none where that folder is absent. */
    pdfs: { path: string; base64: string }[];
    /** JSONTestSuite of ../shared/data/hostile/json. */
    jsonBodies: { name: string; base64: string }[];
    /** The big list of naughty strings. */
    naughtyStrings: string[];
    /** Published cases of numbers. */
    vectors: {
      aadhaar: { number: string; aadhaar_valid: boolean }[];
      verhoeff: { number?: string; payload?: string; check_digit?: number; valid?: boolean }[];
    };
    served: {
      /** As `npm start` left it in a new folder; product.test.ts uses it up. */
      product: { url: string; state: string; pid: number; startedInMs: number; output: string };
      /** A server with the demo world that may be read and written, and not stopped. */
      shared: { url: string; registry: string };
      /** A folder with the demo world, of which a test that stops its server makes a copy. */
      demo: string;
    };
    /** Which version of the objects' storage scripts/record-objects.mjs records. */
    recording: string;
  }
}
