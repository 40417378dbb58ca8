// What a doctor wrote and signed of a report, for its document.
import type { Call } from "../../access/actor.ts";
import type { ReportRow } from "../../reports/reading/report.ts";
import type { ReportContent, SignatureView } from "../../reports/written/content.ts";

export type SignedContent = { content: ReportContent | null; signature: SignatureView | null };

/** Nothing for a report that no doctor wrote or signed. */
export async function readSignedContent(_call: Call, _bucket: R2Bucket, _row: ReportRow): Promise<SignedContent> {
  return { content: null, signature: null };
}
