// All texts of a document model.
import type { DocumentBlock, DocumentModel } from "../../src/care/exports/document-model.ts";

export function textsOf(model: DocumentModel): string[] {
  const { letterhead, patient, signature } = model;
  const optional = [
    letterhead.address,
    letterhead.phone,
    letterhead.email,
    patient.date_of_birth,
    patient.sex,
    model.decision_support,
    ...(signature ? [signature.title, ...signature.lines] : []),
  ];
  const always = [model.title, model.footer, model.missing_characters, letterhead.name, patient.number, patient.name];
  return [...always, ...optional.filter((text) => text !== null), ...model.blocks.flatMap(textsOfBlock)];
}

function textsOfBlock(block: DocumentBlock): readonly string[] {
  switch (block.type) {
    case "key_values":
      return block.items.flatMap(({ key, value }) => [key, value]);
    case "table":
      return [...block.columns, ...block.rows.flat()];
    case "list":
      return block.items;
    case "page_break":
      return [];
    default:
      return [block.text];
  }
}
