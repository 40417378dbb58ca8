// A report as a document model: letterhead, patient, measurements, text and signature.
import type { computeQtc } from "../../reports/reading/qtc.ts";
import { METRIC_RANGES, type ReportKind } from "../../reports/upload/metric-ranges.ts";
import type { MetricsView } from "../../reports/upload/metrics.ts";
import type { ReportContent, SignatureView } from "../../reports/written/content.ts";
import type { DocumentBlock, DocumentModel, DocumentSignature, Letterhead } from "./document-model.ts";
import { type LocalFormat, localFormat } from "./local-format.ts";
import type { ExportWords } from "./word-list.ts";
import { exportWords } from "./words.ts";

/** What a document says of a report. */
export type ExportedReport = {
  language: string;
  hospital: Letterhead & { time_zone: string };
  /** Nulls for a reader who may not know who the patient is. */
  patient: { number: number | null; name: string | null; date_of_birth: string | null; gender: string | null };
  report: {
    kind: ReportKind;
    status: string;
    effective_at: string;
    created_at: string;
    file_name: string | null;
    sha256: string;
    comment: string | null;
    confidence: number | null;
    is_written: boolean;
  };
  metrics: MetricsView;
  qtc: ReturnType<typeof computeQtc>;
  content: ReportContent | null;
  signature: SignatureView | null;
  /** Unix ms. */
  now: number;
};

export function reportModel(source: ExportedReport): DocumentModel {
  const words = exportWords(source.language);
  const format = localFormat(source.language, source.hospital.time_zone);
  const { hospital, patient, signature, content } = source;
  const number = patient.number === null ? "–" : String(patient.number);
  return {
    language: source.language,
    dir: "ltr",
    title: words.report(number),
    letterhead: { name: hospital.name, address: hospital.address, phone: hospital.phone, email: hospital.email },
    patient: {
      number: `${words.patientNumber} ${number}`,
      name: patient.name ?? words.withoutName,
      date_of_birth: patient.date_of_birth && `${words.dateOfBirth}: ${format.birthDate(patient.date_of_birth)}`,
      sex: patient.gender && `${words.gender}: ${words.genders[patient.gender] ?? patient.gender}`,
    },
    blocks: [
      ...stateNotices(source, words),
      ...aboutBlocks(source, words, format),
      ...metricBlocks(source, words, format),
      ...(content ? contentBlocks(content, words) : []),
    ],
    signature: signature && sealOf(signature, words, format),
    as_signed: signature?.as_signed ?? null,
    footer: `${hospital.name} · ${words.createdAt(format.time(source.now))}`,
    decision_support: content?.decision_support ?? (source.metrics.metrics && !content ? words.decisionSupport : null),
    missing_characters: words.missingCharacters,
    created_at: new Date(source.now).toISOString(),
    time_zone: hospital.time_zone,
  };
}

function stateNotices({ report, signature }: ExportedReport, words: ExportWords): DocumentBlock[] {
  if (report.status === "entered-in-error") return [{ type: "notice", level: "warning", text: words.enteredInError }];
  if (signature?.reason) return [{ type: "notice", level: "warning", text: words.notAsSigned[signature.reason] }];
  if (signature) return [];
  const text = report.status === "preliminary" ? words.preliminary : words.notSigned;
  return [{ type: "notice", level: "info", text }];
}

function aboutBlocks({ report }: ExportedReport, words: ExportWords, format: LocalFormat): DocumentBlock[] {
  const { file_name, comment, confidence } = report;
  const items = [
    { key: words.kind, value: words.kinds[report.kind] ?? report.kind },
    { key: words.status, value: words.statuses[report.status] ?? report.status },
    { key: words.measuredAt, value: format.time(report.effective_at) },
    { key: words.receivedAt, value: format.time(report.created_at) },
    ...(confidence === null ? [] : [{ key: words.confidence, value: `${format.number(confidence * 100)} %` }]),
    ...(report.is_written || file_name === null ? [] : [{ key: words.file, value: file_name }]),
    ...(report.is_written ? [] : [{ key: words.sha256, value: report.sha256 }]),
    ...(comment === null ? [] : [{ key: words.comment, value: comment }]),
  ];
  return [
    { type: "heading", level: 1, text: words.about },
    { type: "key_values", items },
  ];
}

function metricBlocks({ report, metrics, qtc }: ExportedReport, words: ExportWords, format: LocalFormat): DocumentBlock[] {
  const blocks: DocumentBlock[] = [];
  const items = metricItems(report.kind, metrics, words, format);
  if (items.length > 0) blocks.push({ type: "heading", level: 1, text: words.measurements }, { type: "key_values", items });
  if (metrics.metrics_text) blocks.push({ type: "paragraph", text: metrics.metrics_text });
  const interpretation = metrics.metrics?.["interpretation"];
  if (typeof interpretation === "string") {
    blocks.push({ type: "heading", level: 2, text: words.interpretation }, { type: "paragraph", text: interpretation });
  }
  if (qtc) {
    const computed = [
      { key: words.metrics["qtc_bazett_ms"] ?? "QTc", value: `${qtc.bazett_ms} ms` },
      { key: words.metrics["qtc_fridericia_ms"] ?? "QTc", value: `${qtc.fridericia_ms} ms` },
    ];
    blocks.push({ type: "heading", level: 2, text: words.computed }, { type: "key_values", items: computed });
  }
  return blocks;
}

/** Numbers of the kind's metrics, in the order in which devices print them. */
function metricItems(kind: ReportKind, { metrics }: MetricsView, words: ExportWords, format: LocalFormat) {
  if (!metrics) return [];
  return Object.entries(METRIC_RANGES[kind]).flatMap(([name, { unit }]) => {
    const value = metrics[name];
    if (value === undefined) return [];
    const shown = typeof value === "number" ? `${format.number(value)} ${unit}` : words.notMeasured;
    return [{ key: words.metrics[name] ?? name, value: shown }];
  });
}

function contentBlocks(content: ReportContent, words: ExportWords): DocumentBlock[] {
  const sections = content.sections.flatMap(({ heading, text }): DocumentBlock[] => [
    { type: "heading", level: 2, text: heading },
    { type: "paragraph", text },
  ]);
  const closing = [
    { heading: words.conclusion, text: content.conclusion },
    { heading: words.recommendations, text: content.recommendations },
  ].flatMap(({ heading, text }): DocumentBlock[] =>
    text === null
      ? []
      : [
          { type: "heading", level: 2, text: heading },
          { type: "paragraph", text },
        ],
  );
  return [{ type: "heading", level: 1, text: content.title }, ...sections, ...closing];
}

function sealOf(signature: SignatureView, words: ExportWords, format: LocalFormat): DocumentSignature {
  const { name, role, registration_number } = signature.signed_by;
  return {
    title: signature.reason ? words.notAsSigned[signature.reason] : words.signature,
    lines: [
      words.signedBy(name, words.roles[role] ?? role),
      ...(registration_number === null ? [] : [words.registration(registration_number)]),
      words.signedAt(format.time(signature.signed_at)),
      `SHA-256 ${signature.sha256}`,
      words.key(signature.kid),
    ],
  };
}
