// What a reader of a PDF sees, by pdf.js.
import { getDocument, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs";

export type PdfFacts = {
  /** Text of each page, a line per line. */
  pages: string[];
  language: string | null;
  title: string | null;
  isTagged: boolean;
  /** Roles of all structure elements, in reading order. */
  roles: string[];
};

type StructNode = { role?: string; children?: StructNode[] };

export async function readPdf(bytes: Uint8Array): Promise<PdfFacts> {
  const task = getDocument({ data: bytes.slice(), verbosity: VerbosityLevel.ERRORS });
  const pdf = await task.promise;
  const { info } = await pdf.getMetadata();
  const facts: Record<string, unknown> = { ...info };
  const pages: string[] = [];
  const roles: string[] = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    pages.push(items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join(""));
    collectRoles((await page.getStructTree()) as StructNode, roles);
  }
  const markInfo: unknown = await pdf.getMarkInfo();
  const isTagged = markInfo instanceof Map && markInfo.get("Marked") === true;
  await task.destroy();
  return { pages, roles, isTagged, language: textOrNull(facts["Language"]), title: textOrNull(facts["Title"]) };
}

const textOrNull = (value: unknown) => (typeof value === "string" ? value : null);

function collectRoles(node: StructNode | null, roles: string[]): void {
  if (node?.role) roles.push(node.role);
  for (const child of node?.children ?? []) collectRoles(child, roles);
}
