// DOCX files of document models: parts, relations and texts of the package.
import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { renderDocx } from "../../render/src/docx/render-docx.ts";
import { textsOf } from "../../render/src/texts.ts";
import type { DocumentModel } from "../../src/care/exports/document-model.ts";
import { documentModel } from "../document-models.ts";

/** Parts of a package by name; throws if a part is not as long as its header says. */
function unzip(zip: Uint8Array): Map<string, string> {
  const bytes = Buffer.from(zip);
  const parts = new Map<string, string>();
  const end = bytes.length - 22;
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extra, comment] = [28, 30, 32].map((add) => bytes.readUInt16LE(at + add));
    const [packed = 0, size = 0] = [20, 24].map((add) => bytes.readUInt32LE(at + add));
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const stored = bytes.subarray(start, start + packed);
    const data = bytes.readUInt16LE(at + 10) === 8 ? inflateRawSync(stored) : stored;
    expect(data.length).toBe(size);
    parts.set(bytes.toString("utf8", at + 46, at + 46 + (nameLength ?? 0)), data.toString("utf8"));
    at += 46 + (nameLength ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return parts;
}

/** Names of elements that are opened but not closed in their order; empty for well-formed XML. */
function unclosed(xml: string): string[] {
  const open: string[] = [];
  for (const [, closing, name, rest] of xml.matchAll(/<(\/?)([\w:]+)((?:"[^"]*"|[^">])*)>/g)) {
    if (closing && open.pop() !== name) return [`</${name}>`];
    if (!closing && !rest?.endsWith("/")) open.push(name ?? "");
  }
  return open;
}

const textOf = (xml: string) =>
  xml
    .replace(/<[^>]*>/g, "")
    .replace(
      /&#?\w+;/g,
      (entity) => ({ "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'" })[entity] ?? entity,
    );
const render = async (model: DocumentModel) => unzip((await renderDocx(model)).bytes);

describe("a DOCX of a document model", () => {
  it("is a package whose parts are well-formed, declared and related", async () => {
    const parts = await render(documentModel());
    for (const [name, xml] of parts)
      if (/\.(xml|rels)$/.test(name)) expect({ name, open: unclosed(xml) }).toEqual({ name, open: [] });
    const types = parts.get("[Content_Types].xml") ?? "";
    for (const name of parts.keys()) {
      const extension = name.split(".").at(-1);
      const isDeclared = types.includes(`PartName="/${name}"`) || types.includes(`Extension="${extension}"`);
      if (name !== "[Content_Types].xml") expect({ name, isDeclared }).toEqual({ name, isDeclared: true });
    }
    const targets = [...(parts.get("word/_rels/document.xml.rels") ?? "").matchAll(/Target="([^"]+)"/g)].map(
      ([, target]) => target,
    );
    expect(targets.length).toBeGreaterThan(3);
    for (const target of targets) expect([...parts.keys()]).toContain(`word/${target}`);
  });

  it("has all texts, the language, complex scripts and page numbers", async () => {
    const model = documentModel({ decision_support: "निर्णय सहायता" });
    const parts = await render(model);
    const text = ["document", "header1", "footer1"].map((name) => textOf(parts.get(`word/${name}.xml`) ?? "")).join(" ");
    for (const part of textsOf(model)) if (part !== model.missing_characters) expect(text).toContain(part);
    const styles = parts.get("word/styles.xml") ?? "";
    expect(styles).toMatch(/<w:lang [^>]*w:bidi="hi"/);
    expect(styles).toContain('w:cs="Noto Sans Devanagari"');
    expect(parts.get("word/footer1.xml")).toMatch(/PAGE[\s\S]*NUMPAGES/);
    expect(parts.get("docProps/core.xml")).toContain("2026-11-30T04:45:00Z");
  });

  it("writes from right to left", async () => {
    const parts = await render(documentModel({ language: "ar", dir: "rtl" }));
    const xml = parts.get("word/document.xml") ?? "";
    expect(xml).toContain("<w:bidi/>");
    expect(xml).toContain("<w:rtl/>");
    expect(xml).toContain("<w:bidiVisual/>");
  });

  it("survives hostile text", async () => {
    const texts = ["", "\u0000\u0007\u001b", "\ud800x", "<w:p>&amp;</w:p>", "]]>", "\ufffe\uffff", "a\nb"];
    const blocks = texts.map((text) => ({ type: "paragraph" as const, text }));
    const parts = await render(documentModel({ title: "<&>", blocks }));
    for (const [name, xml] of parts) {
      expect({ name, open: unclosed(xml) }).toEqual({ name, open: [] });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has none of them.
      expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
    }
    expect(textOf(parts.get("word/document.xml") ?? "")).toContain("<w:p>&amp;</w:p>");
  });

  it("is the same for the same model, at any time", async () => {
    const first = await renderDocx(documentModel());
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const second = await renderDocx(documentModel());
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
  });
});

describe("the render Worker", () => {
  it("has no store and no address of its own", () => {
    const config = readFileSync("render/wrangler.toml", "utf8").replace(/^#.*$/gm, "");
    expect(config).not.toMatch(/d1_databases|r2_buckets|kv_namespaces|durable_objects|secrets|vars|routes/);
    expect(config).toContain("workers_dev = false");
  });
});
