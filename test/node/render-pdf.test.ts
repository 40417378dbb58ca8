// PDF files of document models: what a reader finds in them, in every script.
import { readFile } from "node:fs/promises";
import PDFDocument from "pdfkit";
import { describe, expect, it } from "vitest";
import { loadFonts } from "../../render/src/assets.ts";
import { renderPdf } from "../../render/src/pdf/render-pdf.ts";
import { syllables } from "../../render/src/pdf/syllables.ts";
import { textsOf } from "../../render/src/texts.ts";
import { RENDER_ASSETS } from "../../scripts/build-render.mjs";
import type { DocumentModel } from "../../src/care/exports/document-model.ts";
import { documentModel, HINDI_PARAGRAPH, longModel, SCRIPTS } from "../document-models.ts";
import { readPdf } from "./pdf-text.ts";

async function render(model: DocumentModel) {
  const fonts = await loadFonts(textsOf(model).join("\n"), async (path) => new Uint8Array(await readFile(RENDER_ASSETS + path)));
  return renderPdf(model, fonts);
}

type Shaper = { layout(text: string): { glyphs: { id: number }[]; positions: object[] } };

/** Lines are joined and canonically equal forms are the same. */
const plain = (text: string) => text.normalize("NFC").replace(/\s+/g, " ").trim();

describe("a PDF of a document model", () => {
  it("has all texts, tagged, with its language and title", async () => {
    const model = documentModel({ decision_support: "निर्णय सहायता" });
    const { bytes, pages, missing_glyphs } = await render(model);
    const facts = await readPdf(bytes);
    expect({ pages, missing_glyphs }).toEqual({ pages: 1, missing_glyphs: 0 });
    expect(facts).toMatchObject({ language: "hi", title: "रिपोर्ट 1042", isTagged: true });
    const text = plain(facts.pages.join(" "));
    const shown = textsOf(model).filter((part) => part !== model.missing_characters);
    for (const part of shown) expect(text).toContain(plain(part));
    expect(text).not.toContain(plain(model.missing_characters));
    expect(text).toContain("1 / 1");
    for (const role of ["Document", "H1", "H2", "H3", "P", "Table", "TR", "TH", "TD", "L", "LI", "Lbl", "LBody"])
      expect(facts.roles).toContain(role);
  });

  it.each(Object.entries(SCRIPTS))("has the characters of %s in the order of the text", async (_, paragraph) => {
    const { bytes, missing_glyphs } = await render(documentModel({ blocks: [{ type: "paragraph", text: paragraph }] }));
    expect(missing_glyphs).toBe(0);
    expect(plain((await readPdf(bytes)).pages.join(" "))).toContain(plain(paragraph));
  });

  it.each([
    ["Arabic", "مرحبا بك في المستشفى"],
    ["Hebrew", "שלום וברוכים הבאים"],
  ])("writes %s from right to left", async (_, paragraph) => {
    const model = documentModel({ language: "ar", dir: "rtl", blocks: [{ type: "paragraph", text: paragraph }] });
    const { bytes, missing_glyphs } = await render(model);
    expect(missing_glyphs).toBe(0);
    expect(plain((await readPdf(bytes)).pages.join(" ")).replaceAll("\u2060", "")).toContain(paragraph);
  });

  it("says which characters no font has, and shows a box for each", async () => {
    const model = documentModel({ blocks: [{ type: "paragraph", text: "漢字 and 漢 🙂" }] });
    const { bytes, missing_glyphs } = await render(model);
    const text = plain((await readPdf(bytes)).pages.join(" "));
    expect(missing_glyphs).toBe(3);
    expect(text).toContain(plain(model.missing_characters));
    expect(text).toContain("漢字 and 漢 🙂");
  });

  it("continues paragraphs, tables and words over lines and pages", async () => {
    const word = "x".repeat(400);
    const rows = Array.from({ length: 120 }, (_, i) => [`row ${i}`, i === 60 ? HINDI_PARAGRAPH.repeat(12) : "value"]);
    const blocks: DocumentModel["blocks"] = [
      { type: "paragraph", text: `${word}\nsecond line` },
      { type: "table", columns: ["Name", "Value"], rows },
      { type: "page_break" },
      { type: "paragraph", text: "after the break" },
    ];
    const { bytes, pages } = await render(documentModel({ language: "en", blocks }));
    const facts = await readPdf(bytes);
    expect(pages).toBeGreaterThan(4);
    expect(facts.pages).toHaveLength(pages ?? 0);
    expect(facts.pages.join("").replace(/\s/g, "")).toContain(word);
    for (const [name] of rows) expect(plain(facts.pages.join(" "))).toContain(`${name} `);
    expect(facts.pages.at(-1)).toContain("after the break");
    expect(facts.pages.map((page, i) => page.includes(`${i + 1} / ${pages}`))).not.toContain(false);
  });

  it("draws a seal in red if the document is not as signed", async () => {
    const signed = await render(documentModel());
    const altered = await render(documentModel({ as_signed: false }));
    expect(Buffer.compare(signed.bytes, altered.bytes)).not.toBe(0);
    expect(plain((await readPdf(altered.bytes)).pages.join(" "))).toContain("हस्ताक्षर");
  });

  it("survives hostile text", async () => {
    const texts = [
      "",
      " ",
      "\u0000\u0007\u001b[31m",
      "\ud800",
      "\u202e\u2067abc",
      "a\u0300".repeat(500),
      "ि",
      "्",
      "\u200d",
      "()\\<>",
      "\ufeff\u2028",
    ];
    const { bytes } = await render(documentModel({ blocks: texts.map((text) => ({ type: "paragraph", text })) }));
    expect((await readPdf(bytes)).pages.join("")).toContain("()\\<>");
  });

  it("is the same for the same model, at any time", async () => {
    const first = await render(documentModel());
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const second = await render(documentModel());
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
    const other = await render(documentModel({ title: "रिपोर्ट 1043" }));
    expect(Buffer.compare(first.bytes, other.bytes)).not.toBe(0);
  });

  it("rejects a model without a time", async () => {
    await expect(render(documentModel({ created_at: "yesterday" }))).rejects.toThrow(RangeError);
  });

  it("shapes syllables of Devanagari as whole words are", async () => {
    const doc = new PDFDocument({ autoFirstPage: false, font: null as unknown as string });
    doc.font(await readFile(`${RENDER_ASSETS}/fonts/devanagari-400.ttf`));
    const { font } = (doc as unknown as { _font: { font: Shaper } })._font;
    const shape = (text: string) => {
      const { glyphs, positions } = font.layout(text);
      return glyphs.map(({ id }, i) => ({ id, ...positions[i] }));
    };
    const words = [...new Set(textsOf(longModel()).join(" ").split(/\s+/))].filter((word) =>
      /^\p{Script=Devanagari}+$/u.test(word),
    );
    expect(words.length).toBeGreaterThan(1000);
    for (const word of words) expect(syllables(word).flatMap(shape)).toEqual(shape(word));
  });

  it("takes less than a second of CPU for ten pages", async () => {
    const before = process.cpuUsage();
    const { pages } = await render(longModel());
    const { user, system } = process.cpuUsage(before);
    expect(pages).toBeGreaterThanOrEqual(10);
    // Other tests of this process run at the same time.
    expect((user + system) / 1000).toBeLessThan(1000);
  });
});
