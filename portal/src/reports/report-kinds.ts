// The kinds of reports that the API knows.
import { REPORT_KINDS } from "../../../src/platform/db/vocabulary.ts";
import type { ReportKind } from "../../../src/reports/upload/metric-ranges.ts";

export const KINDS = REPORT_KINDS;
export type Kind = ReportKind;
export const isReportKind = (text: string | null | undefined): text is Kind => KINDS.some((kind) => kind === text);
