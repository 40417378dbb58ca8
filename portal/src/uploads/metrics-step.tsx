// Third: what kind of report it is, when it was measured, and the numbers on it, all but the kind optional.
import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { Form } from "../design/form.tsx";
import layout from "../design/layout.module.css";
import { number } from "../design/time.ts";
import { sayOf, useSay } from "../messages/index.ts";
import { momentOf } from "../reports/days.ts";
import { isKind, KINDS } from "../reports/kinds.ts";
import { fieldsOf, measureOf } from "../reports/metrics.ts";
import { faultsOf, type Said } from "./draft.ts";
import classes from "./uploads.module.css";

/** In a header of a large file each character may become nine. */
const MAX_SAID = 1000;

type MetricsStepProps = {
  said: Said;
  zone: string | undefined;
  onSaid: (said: Said) => void;
  onNext: () => void;
  onBack: () => void;
};

export function MetricsStep({ said, zone, onSaid, onNext, onBack }: MetricsStepProps) {
  const say = useSay();
  const { kind, wall, typed, interpretation } = said;
  const labels = Object.fromEntries(fieldsOf(kind).map((key) => [key, sayOf("metric", key)]));
  const check = () => ({ ...wallFaults(wall, zone, say), ...faultsOf(kind, typed, (key, fault) => faultText(key, fault, say)) });
  return (
    <Form
      submit={say("uploads.next")}
      cancel={say("common.back")}
      onCancel={onBack}
      check={check}
      onSubmit={async () => onNext()}
      changes={false}
      labels={{ ...labels, recorded_at: say("reports.measured") }}
    >
      {(field) => (
        <>
          <div className={classes.fields}>
            <NativeSelect
              label={say("reports.kind")}
              value={kind}
              onChange={({ currentTarget: { value } }) => isKind(value) && onSaid({ ...said, kind: value })}
              data={KINDS.map((value) => ({ value, label: sayOf("report_kind", value) }))}
            />
            <TextInput
              type="datetime-local"
              label={say("reports.measured")}
              description={say("uploads.measured_hint", { zone: zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone })}
              value={wall}
              onChange={(event) => onSaid({ ...said, wall: event.currentTarget.value })}
              {...field("recorded_at")}
            />
          </div>
          <fieldset className={classes.fieldset}>
            <legend>{say("uploads.metrics_optional")}</legend>
            <div className={classes.fields}>
              {fieldsOf(kind).map((key) => (
                <TextInput
                  key={key}
                  label={sayOf("metric", key)}
                  inputMode="decimal"
                  autoComplete="off"
                  value={typed[key] ?? ""}
                  onChange={(event) => onSaid({ ...said, typed: { ...typed, [key]: event.currentTarget.value } })}
                  rightSection={<span className={layout.note}>{measureOf(key)?.unit}</span>}
                  rightSectionWidth={64}
                  {...field(key)}
                />
              ))}
            </div>
          </fieldset>
          {kind === "ecg" && (
            <Textarea
              label={say("metric.interpretation")}
              maxLength={MAX_SAID}
              value={interpretation}
              onChange={(event) => onSaid({ ...said, interpretation: event.currentTarget.value })}
            />
          )}
        </>
      )}
    </Form>
  );
}

function faultText(key: string, fault: "no_number" | "implausible", say: ReturnType<typeof useSay>): string {
  const measure = measureOf(key);
  if (fault === "no_number" || !measure) return say("uploads.no_number");
  return say("uploads.implausible", { min: number(measure.min), max: number(measure.max), unit: measure.unit });
}

function wallFaults(wall: string, zone: string | undefined, say: ReturnType<typeof useSay>): Record<string, string> {
  if (wall === "") return {};
  const at = momentOf(wall, zone);
  if (at === null) return { recorded_at: say("uploads.no_time") };
  return Date.parse(at) > Date.now() ? { recorded_at: say("uploads.in_future") } : {};
}
