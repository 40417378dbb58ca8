// The render Worker as the API calls it: in workerd, through the service binding, with its fonts as static assets.
import { describe, expect, it } from "vitest";
import type { DocumentRenderer } from "../../src/care/exports/renderer.ts";
import { documentModel, longModel } from "../document-models.ts";
import { env } from "../world.ts";

const renderer = env.RENDER as unknown as DocumentRenderer;
const start = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes.subarray(0, 8));

describe("the render Worker", () => {
  it("renders a PDF with fonts of its assets, the same bytes each time", async () => {
    const { bytes, missing_glyphs, pages } = await renderer.render(documentModel(), "pdf");
    expect(start(bytes)).toBe("%PDF-1.7");
    expect({ missing_glyphs, pages }).toEqual({ missing_glyphs: 0, pages: 1 });
    const again = await renderer.render(documentModel(), "pdf");
    expect([...again.bytes]).toEqual([...bytes]);
  });

  it("renders a DOCX", async () => {
    const { bytes, pages } = await renderer.render(documentModel(), "docx");
    expect(start(bytes).slice(0, 2)).toBe("PK");
    expect(pages).toBeNull();
  });

  it("renders ten pages", async () => {
    const { pages, bytes } = await renderer.render(longModel(), "pdf");
    expect(pages).toBeGreaterThanOrEqual(10);
    expect(bytes.length).toBeLessThan(1_000_000);
  });
});
