// A document model as a tagged PDF. The same model and fonts give the same bytes.
import PDFDocument from "pdfkit";
import type { DocumentModel } from "../../../src/care/exports/document-model.ts";
import type { RenderedDocument } from "../../../src/care/exports/renderer.ts";
import type { Fonts } from "../assets.ts";
import { textsOf } from "../texts.ts";
import { drawDocument } from "./blocks.ts";
import { LineBreaker, type TextStyle } from "./break-lines.ts";
import { Canvas, MUTED, PAGE } from "./canvas.ts";
import type { Document } from "./embedded-font.ts";
import { CONTENT, Flow, lineHeight } from "./flow.ts";
import { FontSet } from "./font-set.ts";

const MARGINAL: TextStyle = { size: 8, isBold: false };

/** @throws RangeError if created_at is no time */
export async function renderPdf(model: DocumentModel, sources: Fonts): Promise<RenderedDocument> {
  const doc = newDocument(model);
  const chunks: Uint8Array[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    doc.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    doc.on("end", resolve);
    doc.on("error", reject);
  });
  const fonts = new FontSet(doc, sources);
  for (const text of textsOf(model)) fonts.check(text);
  const flow = new Flow(new Canvas(doc, fonts), new LineBreaker(fonts, model.dir), model.dir);
  const root = doc.struct("Document");
  doc.addStructure(root);
  drawDocument(flow, root, model, fonts.missingCount > 0);
  const pages = drawMargins(flow, model);
  doc.end();
  await ended;
  return { bytes: joined(chunks), missing_glyphs: fonts.missingCount, pages };
}

function newDocument(model: DocumentModel): Document {
  const created = new Date(model.created_at);
  if (Number.isNaN(created.getTime())) throw new RangeError("created_at is not an ISO 8601 time");
  return new PDFDocument({
    size: "A4",
    margin: 0,
    // Standard fonts have no letters of India; every font is embedded.
    font: null as unknown as string,
    pdfVersion: "1.7",
    tagged: true,
    displayTitle: true,
    lang: model.language,
    bufferPages: true,
    info: { Title: model.title, Creator: "EdgeCare", Producer: "EdgeCare", CreationDate: created, ModDate: created },
  });
}

/** Footers of all pages, and headers of all but the first, when their number is known. @returns that number */
function drawMargins(flow: Flow, model: DocumentModel): number {
  const { doc } = flow.canvas;
  const { count } = doc.bufferedPageRange();
  const header = `${model.title} · ${model.patient.number}`;
  for (let page = 0; page < count; page++) {
    doc.switchToPage(page);
    flow.canvas.artifact("Pagination", () => {
      if (page > 0) drawMarginal(flow, header, PAGE.margin - 18);
      drawMarginal(flow, model.footer, PAGE.height - PAGE.bottom + 14);
      drawMarginal(flow, `${page + 1} / ${count}`, PAGE.height - PAGE.bottom + 14 + lineHeight(MARGINAL));
    });
  }
  return count;
}

function drawMarginal(flow: Flow, text: string, y: number): void {
  const [line] = flow.breaker.lines(text, MARGINAL, CONTENT.width);
  if (line) flow.paint([line], MARGINAL, MUTED, CONTENT, y);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
