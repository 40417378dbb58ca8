// Step 3: report kind, time of measurement and measurements, beside the PDF. Whether the time is known must be said.
import { NativeSelect, Radio, Textarea, TextInput } from "@mantine/core";
import { parseWallTime } from "../../platform/design/calendar-days.ts";
import { Form } from "../../platform/design/form.tsx";
import { formatNumber } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { NumberTextInput } from "../../platform/design/number-text-input.tsx";
import { getScreenZone } from "../../platform/design/screen-zone.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { findMeasure, listMetricFields } from "../metrics.ts";
import { isReportKind, KINDS } from "../report-kinds.ts";
import { findMetricErrors, type ReportInput } from "./upload-draft.ts";
import classes from "./uploads.module.css";

/** URL encoding in the header of a large upload takes up to nine bytes per character. */
const MAX_INTERPRETATION_LENGTH = 1000;

type MetricsStepProps = {
  input: ReportInput;
  zone: string | undefined;
  onInput: (input: ReportInput) => void;
  onNext: () => void;
  onBack: () => void;
};

export function MetricsStep({ input, zone, onInput, onNext, onBack }: MetricsStepProps) {
  const t = useTranslation();
  const { kind, timeIs, wallTime, typedMetrics, interpretation } = input;
  const labels = Object.fromEntries(listMetricFields(kind).map((key) => [key, translateCode("metric", key)]));
  const validate = () => ({
    ...findMeasuredAtErrors(input, zone, t),
    ...findMetricErrors(kind, typedMetrics, (key, fault) => formatMetricError(key, fault, t)),
  });
  return (
    <Form
      submitLabel={t("uploads.next")}
      cancelLabel={t("common.back")}
      onCancel={onBack}
      validate={validate}
      onSubmit={async () => onNext()}
      isMutation={false}
      labels={{ ...labels, time_is: t("uploads.time_is"), recorded_at: t("reports.measured") }}
    >
      {(field) => (
        <>
          <NativeSelect
            label={t("reports.kind")}
            value={kind}
            onChange={({ currentTarget: { value } }) => isReportKind(value) && onInput({ ...input, kind: value })}
            data={KINDS.map((value) => ({ value, label: translateCode("report_kind", value) }))}
          />
          <Radio.Group
            label={t("uploads.time_is")}
            value={timeIs}
            onChange={(value) => onInput({ ...input, timeIs: value === "known" ? "known" : "unknown" })}
            {...field("time_is")}
          >
            <Radio mt="xs" value="known" label={t("uploads.time_known")} />
            <Radio mt="xs" value="unknown" label={t("uploads.time_unknown")} />
          </Radio.Group>
          {timeIs === "known" && (
            <TextInput
              type="datetime-local"
              label={t("reports.measured")}
              description={t("uploads.measured_hint", { zone: zone ?? getScreenZone() })}
              value={wallTime}
              onChange={(event) => onInput({ ...input, wallTime: event.currentTarget.value })}
              {...field("recorded_at")}
            />
          )}
          <fieldset className={classes.fieldset}>
            <legend>{t("uploads.metrics_optional")}</legend>
            <div className={classes.fields}>
              {listMetricFields(kind).map((key) => (
                <NumberTextInput
                  key={key}
                  label={translateCode("metric", key)}
                  value={typedMetrics[key] ?? ""}
                  onText={(text) => onInput({ ...input, typedMetrics: { ...typedMetrics, [key]: text } })}
                  rightSection={<span className={layout.note}>{findMeasure(key)?.unit}</span>}
                  rightSectionWidth={64}
                  {...field(key)}
                />
              ))}
            </div>
          </fieldset>
          {kind === "ecg" && (
            <Textarea
              label={t("metric.interpretation")}
              maxLength={MAX_INTERPRETATION_LENGTH}
              value={interpretation}
              onChange={(event) => onInput({ ...input, interpretation: event.currentTarget.value })}
            />
          )}
        </>
      )}
    </Form>
  );
}

function formatMetricError(key: string, fault: "no_number" | "implausible", t: ReturnType<typeof useTranslation>): string {
  const measure = findMeasure(key);
  if (fault === "no_number" || !measure) return t("uploads.no_number");
  return t("uploads.implausible", { min: formatNumber(measure.min), max: formatNumber(measure.max), unit: measure.unit });
}

function findMeasuredAtErrors(
  { timeIs, wallTime }: ReportInput,
  zone: string | undefined,
  t: ReturnType<typeof useTranslation>,
): Record<string, string> {
  if (timeIs === null) return { time_is: t("uploads.time_missing") };
  if (timeIs === "unknown") return {};
  const at = parseWallTime(wallTime, zone);
  if (at === null) return { recorded_at: t("uploads.no_time") };
  return Date.parse(at) > Date.now() ? { recorded_at: t("uploads.in_future") } : {};
}
