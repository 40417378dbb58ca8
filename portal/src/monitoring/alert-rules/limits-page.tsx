// Alarm limits of one patient: effective limits and their sources, monitoring settings and change log.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { useIsReadOnly, usePatientRecord } from "../../patients/record/use-patient-record.ts";
import { formatDateTime } from "../../platform/design/format.ts";
import { Card, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { StaffName } from "../alerts/alarm-names.tsx";
import { type EffectiveRules, previewRule, readEffectiveRules, removePatientRule, savePatientRule } from "./api.ts";
import { DefaultSources } from "./default-sources.tsx";
import { LimitsChangeLog } from "./limits-change-log.tsx";
import { LimitsEditor, type LimitsTarget, ResetLimitsDialog } from "./limits-editor.tsx";
import { LimitsTable } from "./limits-table.tsx";
import { MonitoringCard } from "./monitoring-card.tsx";
import { buildPatientRules, RULE_FIELDS, type VitalRule } from "./rule-limits.ts";
import classes from "./rules.module.css";
import { useInheritedRules } from "./use-inherited-rules.ts";

export function LimitsPage() {
  const t = useTranslation();
  const { patientId = "" } = useParams({ strict: false });
  const { role } = useMe();
  const patient = usePatientRecord(patientId);
  const zone = useHospitalTimeZone(patient.data?.data.hospital_id);
  const isReadOnly = useIsReadOnly(patientId);
  const query = useQuery({ queryKey: ["rules", "effective", patientId], queryFn: () => readEffectiveRules(patientId) });
  return (
    <Page title={t("rules.limits")}>
      <QueryBoundary query={query}>
        {(effective) => (
          <>
            <LimitsCard effective={effective} zone={zone} />
            {!isReadOnly && <MonitoringCard patientId={patientId} zone={zone} />}
            {(role === "admin" || role === "hospital_admin") && (
              <LimitsChangeLog patientId={patientId} hospitalId={patient.data?.data.hospital_id} zone={zone} />
            )}
          </>
        )}
      </QueryBoundary>
    </Page>
  );
}

function LimitsCard({ effective, zone }: { effective: EffectiveRules; zone: string | undefined }) {
  const t = useTranslation();
  const [dialog, setDialog] = useState<{ rule: VitalRule; kind: "change" | "take_back" } | null>(null);
  const target = usePatientLimitsTarget(effective.patient_id);
  const isReadOnly = useIsReadOnly(effective.patient_id);
  const inheritedRules = useInheritedRules(effective.age_band, effective.ward_id, effective.monitoring);
  const lastChangeColumn = {
    label: t("rules.last_change"),
    cell: ({ changed }: VitalRule) =>
      changed && (
        <span className={classes.hint}>
          <StaffName userId={changed.by} />, {formatDateTime(changed.at, zone)}
        </span>
      ),
  };
  return (
    <Card title={t("rules.table")}>
      <QueryBoundary query={inheritedRules}>
        {({ defaults, ward, adultDefaults: adults }) => {
          const rules = buildPatientRules(effective, defaults, ward, adults);
          const changed = rules.filter(({ layers: from }) => RULE_FIELDS.some((field) => from[field] !== "default")).length;
          return (
            <>
              <p className={classes.note}>
                {t("rules.judged_as", { band: translateCode("rules.band", effective.age_band) })} ·{" "}
                {t("rules.marked", { n: changed, total: rules.length })}
              </p>
              <p className={classes.note}>{t(effective.age_band === "adult" ? "rules.for_adults" : "rules.for_children")}</p>
              <LimitsTable
                rules={rules}
                extraColumn={lastChangeColumn}
                isReadOnly={isReadOnly}
                onChange={(rule) => setDialog({ rule, kind: "change" })}
                onReset={(rule) => setDialog({ rule, kind: "take_back" })}
              />
              <DefaultSources defaults={defaults} />
            </>
          );
        }}
      </QueryBoundary>
      {dialog?.kind === "change" && (
        <LimitsEditor rule={dialog.rule} target={target} zone={zone} onClose={() => setDialog(null)} />
      )}
      {dialog?.kind === "take_back" && (
        <ResetLimitsDialog rule={dialog.rule} target={target} zone={zone} onClose={() => setDialog(null)} />
      )}
    </Card>
  );
}

function usePatientLimitsTarget(patientId: string): LimitsTarget {
  const client = useQueryClient();
  return {
    preview: (code, limits) => previewRule(patientId, code, limits),
    save: ({ code, version }, limits) => savePatientRule(patientId, code, version, limits),
    remove: ({ code, version }) => removePatientRule(patientId, code, version ?? 0),
    reload: () => client.invalidateQueries({ queryKey: ["rules"] }),
  };
}
