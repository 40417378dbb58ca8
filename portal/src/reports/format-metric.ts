// A metric of a report as text.
import { formatNumber } from "../platform/design/format.ts";
import { findMeasure } from "./metrics.ts";

/** "72 /min"; a dash when the report lacks the metric. */
export const formatMetric = (key: string, value: number | null): string =>
  value === null ? "—" : `${formatNumber(value)} ${findMeasure(key)?.unit ?? ""}`.trim();
