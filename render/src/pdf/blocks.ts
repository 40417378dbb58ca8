// The content of a document on its pages: letterhead, patient, blocks and signature.
import type { DocumentBlock, DocumentModel, DocumentSignature } from "../../../src/care/exports/document-model.ts";
import type { TextStyle } from "./break-lines.ts";
import { type Colour, type Element, INK, MUTED, RED } from "./canvas.ts";
import { BODY, BOLD, CONTENT, type Flow, lineHeight, type Tag } from "./flow.ts";
import { drawKeyValues, drawTable } from "./table.ts";

const TITLE: TextStyle = { size: 17, isBold: true };
const HEADINGS: Record<1 | 2 | 3, TextStyle> = {
  1: { size: 13.5, isBold: true },
  2: { size: 11.5, isBold: true },
  3: { size: 10, isBold: true },
};
const HEADING_TAGS: Record<1 | 2 | 3, Tag> = { 1: "H2", 2: "H3", 3: "H4" };
const SMALL: TextStyle = { size: 8.5, isBold: false };
const MARKER_WIDTH = 20;
const NOTICE_INDENT = 10;

export function drawDocument(flow: Flow, root: Element, model: DocumentModel, hasMissing: boolean): void {
  drawLetterhead(flow, root, model);
  flow.text(root, "H1", model.title, TITLE);
  flow.space(2);
  drawPatient(flow, root, model);
  if (hasMissing) drawNotice(flow, root, model.missing_characters, "warning");
  for (const block of model.blocks) drawBlock(flow, root, block);
  if (model.decision_support !== null) drawNotice(flow, root, model.decision_support, "info");
  if (model.signature) drawSignature(flow, root, model.signature, model.as_signed !== false);
}

function drawLetterhead(flow: Flow, root: Element, { letterhead }: DocumentModel): void {
  flow.text(root, "P", letterhead.name, { size: 12, isBold: true });
  const lines = [letterhead.address, [letterhead.phone, letterhead.email].filter(Boolean).join(" · ")];
  for (const line of lines) if (line) flow.text(root, "P", line, SMALL, MUTED);
  flow.space(4);
  flow.canvas.artifact("Layout", () => flow.canvas.rule(flow.leftOf(CONTENT), flow.y, CONTENT.width));
  flow.space(12);
}

/** Name and number stand out; the words for the rest are in the model's blocks of key and value. */
function drawPatient(flow: Flow, root: Element, { patient }: DocumentModel): void {
  flow.text(root, "P", `${patient.name} · ${patient.number}`, BOLD);
  const facts = [patient.date_of_birth, patient.sex].filter((fact) => fact !== null);
  if (facts.length > 0) flow.text(root, "P", facts.join(" · "), BODY, MUTED);
  flow.space(10);
}

function drawBlock(flow: Flow, root: Element, block: DocumentBlock): void {
  switch (block.type) {
    case "heading":
      drawHeading(flow, root, block.level, block.text);
      break;
    case "paragraph":
      flow.text(root, "P", block.text, BODY);
      flow.space(6);
      break;
    case "key_values":
      drawKeyValues(flow, root, block.items);
      break;
    case "table":
      drawTable(flow, root, block.columns, block.rows);
      break;
    case "list":
      drawList(flow, root, block.items, block.ordered);
      break;
    case "page_break":
      flow.newPage();
      break;
    case "notice":
      drawNotice(flow, root, block.text, block.level);
  }
}

function drawHeading(flow: Flow, root: Element, level: 1 | 2 | 3, text: string): void {
  flow.space(6);
  // Not at the end of a page, without a line of what it is about.
  flow.reserve(lineHeight(HEADINGS[level]) + 2 * lineHeight(BODY));
  flow.text(root, HEADING_TAGS[level], text, HEADINGS[level]);
  flow.space(2);
}

function drawList(flow: Flow, root: Element, items: readonly string[], isOrdered: boolean): void {
  const list = flow.element(root, "L");
  for (const [i, text] of items.entries()) {
    flow.reserve(lineHeight(BODY));
    const item = flow.element(list, "LI");
    const marker = flow.breaker.lines(isOrdered ? `${i + 1}.` : "•", BODY, MARKER_WIDTH);
    flow.drawLines(flow.element(item, "Lbl"), "Lbl", marker, BODY, INK, CONTENT, flow.y);
    const body = { start: CONTENT.start + MARKER_WIDTH, width: CONTENT.width - MARKER_WIDTH };
    flow.text(item, "LBody", text, BODY, INK, body);
  }
  flow.space(6);
}

function drawNotice(flow: Flow, root: Element, text: string, level: "info" | "warning"): void {
  const colour: Colour = level === "warning" ? RED : MUTED;
  flow.reserve(2 * lineHeight(BODY));
  const area = { start: CONTENT.start + NOTICE_INDENT, width: CONTENT.width - NOTICE_INDENT };
  flow.text(root, "P", text, level === "warning" ? BOLD : BODY, colour, area);
  flow.space(8);
}

function drawSignature(flow: Flow, root: Element, signature: DocumentSignature, isAsSigned: boolean): void {
  const colour: Colour = isAsSigned ? INK : RED;
  const area = { start: CONTENT.start + 10, width: CONTENT.width - 20 };
  const texts = [signature.title, ...signature.lines];
  const height = texts.reduce((sum, text) => sum + flow.breaker.lines(text, BOLD, area.width).length * lineHeight(BODY), 16);
  flow.space(8);
  flow.reserve(height);
  const top = flow.y;
  flow.space(8);
  flow.text(root, "P", signature.title, BOLD, colour, area);
  for (const line of signature.lines) flow.text(root, "P", line, BODY, colour, area);
  flow.space(8);
  // A seal that is taller than a page has no box.
  if (flow.y > top)
    flow.canvas.artifact("Layout", () => flow.canvas.box(flow.leftOf(CONTENT), top, CONTENT.width, flow.y - top, colour));
  flow.space(8);
}
