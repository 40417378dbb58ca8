// A document model as a DOCX file. The same model gives the same bytes.
import { AlignmentType, Document, Footer, Header, LevelFormat, Packer, PageNumber, Paragraph, TextRun } from "docx";
import type { DocumentModel, DocumentSignature } from "../../../src/care/exports/document-model.ts";
import type { RenderedDocument } from "../../../src/care/exports/renderer.ts";
import { type Body, BULLETS, MUTED, NUMBERS, RED, Writer } from "./blocks.ts";
import { setZipTimes } from "./zip-times.ts";

/** Fonts that a word processor has, or replaces by one of the script. */
const LATIN_FONT = "Noto Sans";
const COMPLEX_FONTS: Record<string, string> = {
  hi: "Noto Sans Devanagari",
  mr: "Noto Sans Devanagari",
  ta: "Noto Sans Tamil",
  kn: "Noto Sans Kannada",
  ml: "Noto Sans Malayalam",
  ar: "Noto Sans Arabic",
  he: "Noto Sans Hebrew",
};

/** @throws RangeError if created_at is no time */
export async function renderDocx(model: DocumentModel): Promise<RenderedDocument> {
  const created = new Date(model.created_at);
  if (Number.isNaN(created.getTime())) throw new RangeError("created_at is not an ISO 8601 time");
  const writer = new Writer(model.dir);
  const document = new Document({
    title: model.title,
    creator: "EdgeCare",
    lastModifiedBy: "EdgeCare",
    styles: { default: defaultStyles(model.language) },
    numbering: { config: [list(BULLETS, LevelFormat.BULLET, "•"), list(NUMBERS, LevelFormat.DECIMAL, "%1.")] },
    sections: [
      {
        properties: {
          page: { size: { width: 11_906, height: 16_838 }, margin: { top: 1200, bottom: 1200, left: 1000, right: 1000 } },
        },
        headers: { default: new Header({ children: [writer.paragraph(`${model.title} · ${model.patient.number}`, small())] }) },
        footers: { default: footer(writer, model.footer) },
        children: content(writer, model),
      },
    ],
  });
  const core = { path: "docProps/core.xml", data: coreProperties(model.title, created) };
  const bytes = new Uint8Array(await Packer.pack(document, "arraybuffer", false, [core]));
  setZipTimes(bytes, created);
  return { bytes, missing_glyphs: 0, pages: null };
}

const small = () => ({ size: 16, color: MUTED });

function defaultStyles(language: string) {
  const complex = COMPLEX_FONTS[language.split("-")[0] ?? ""] ?? "Noto Sans Devanagari";
  const font = { ascii: LATIN_FONT, hAnsi: LATIN_FONT, eastAsia: LATIN_FONT, cs: complex };
  const heading = (size: number) => ({
    run: { font, size, sizeComplexScript: size, bold: true },
    paragraph: { spacing: { before: 200, after: 80 } },
  });
  return {
    document: { run: { font, size: 20, sizeComplexScript: 20, language: { value: language, bidirectional: language } } },
    title: { run: { font, size: 34, sizeComplexScript: 34, bold: true } },
    heading1: heading(27),
    heading2: heading(23),
    heading3: heading(20),
  };
}

function list(reference: string, format: (typeof LevelFormat)[keyof typeof LevelFormat], text: string) {
  const style = { paragraph: { indent: { left: 420, hanging: 320 } } };
  return { reference, levels: [{ level: 0, format, text, alignment: AlignmentType.START, style }] };
}

function footer(writer: Writer, text: string): Footer {
  const numbers = new TextRun({ ...small(), children: [PageNumber.CURRENT, " / ", PageNumber.TOTAL_PAGES] });
  return new Footer({ children: [writer.paragraph(text, small()), new Paragraph({ children: [numbers] })] });
}

function content(writer: Writer, model: DocumentModel): Body[] {
  const { letterhead, patient } = model;
  const contact = [letterhead.phone, letterhead.email].filter(Boolean).join(" · ");
  const facts = [patient.date_of_birth, patient.sex].filter((fact) => fact !== null).join(" · ");
  return [
    writer.paragraph(letterhead.name, { bold: true, size: 24 }),
    ...[letterhead.address ?? "", contact].filter(Boolean).map((line) => writer.paragraph(line, small())),
    writer.paragraph(model.title, {}, { style: "Title" }),
    writer.paragraph(`${patient.name} · ${patient.number}`, { bold: true }),
    ...(facts ? [writer.paragraph(facts, { color: MUTED })] : []),
    ...model.blocks.flatMap((block) => writer.block(block)),
    ...(model.decision_support === null ? [] : [writer.notice(model.decision_support, false)]),
    ...(model.signature ? signature(writer, model.signature, model.as_signed !== false) : []),
  ];
}

function signature(writer: Writer, { title, lines }: DocumentSignature, isAsSigned: boolean): Body[] {
  const style = isAsSigned ? {} : { color: RED };
  const heading = writer.paragraph(title, { ...style, bold: true }, { keepNext: true, spacing: { before: 240 } });
  return [heading, ...lines.map((line) => writer.paragraph(line, style))];
}

/** The library would put the present time into the file. */
function coreProperties(title: string, created: Date): string {
  const time = created.toISOString().replace(/\.\d+Z$/, "Z");
  const escaped = title.replace(/[<>&]/g, (char) => `&#${char.charCodeAt(0)};`);
  const spaces = [
    'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"',
    'xmlns:dc="http://purl.org/dc/elements/1.1/"',
    'xmlns:dcterms="http://purl.org/dc/terms/"',
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
  ].join(" ");
  const dates = ["created", "modified"].map((name) => `<dcterms:${name} xsi:type="dcterms:W3CDTF">${time}</dcterms:${name}>`);
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><cp:coreProperties ${spaces}><dc:title>${escaped}</dc:title><dc:creator>EdgeCare</dc:creator>${dates.join("")}</cp:coreProperties>`;
}
