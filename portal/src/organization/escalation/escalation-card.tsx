// Escalation settings of a hospital, in force.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import layout from "../../platform/design/layout.module.css";
import { DescriptionList, FoldedCard } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { Hospital } from "../hospitals/api.ts";
import type { Escalation, TierEntry } from "./api.ts";
import { EscalationDialog, escalationQuery } from "./escalation-dialog.tsx";
import { PRIORITIES } from "./minutes.ts";

export function EscalationCard({ hospital }: { hospital: Hospital }) {
  const t = useTranslation();
  return (
    <FoldedCard title={t("escalation.heading")}>
      <HospitalEscalation hospital={hospital} />
    </FoldedCard>
  );
}

function HospitalEscalation({ hospital: { hospital_id, name } }: { hospital: Hospital }) {
  const t = useTranslation();
  const [isOpen, setIsOpen] = useState(false);
  const scope = { kind: "hospital", id: hospital_id } as const;
  const query = useQuery(escalationQuery(scope));
  return (
    <>
      <QueryBoundary query={query}>{(settings) => <InForce settings={settings} />}</QueryBoundary>
      <Button variant="default" onClick={() => setIsOpen(true)}>
        {t("escalation.edit")}
      </Button>
      {isOpen && <EscalationDialog scope={scope} name={name} onClose={() => setIsOpen(false)} />}
    </>
  );
}

function InForce({ settings: { in_force, people, doctors_alarm_scope } }: { settings: Escalation }) {
  const t = useTranslation();
  const nameOf = (entry: TierEntry): string => {
    if ("role" in entry) return t(`escalation.entry.role:${entry.role}`);
    if ("group" in entry) return t(`escalation.entry.group:${entry.group}`);
    return people.find(({ user_id }) => user_id === entry.user_id)?.full_name ?? t("common.unknown");
  };
  return (
    <div className={layout.stack}>
      <DescriptionList
        items={[
          ...PRIORITIES.map((priority): [string, string] => [
            t(`escalation.minutes.${priority}`),
            in_force.escalation_minutes[priority].join(", ") || t("escalation.never"),
          ]),
          ...PRIORITIES.map((priority): [string, string] => [
            t(`escalation.repeat.${priority}`),
            String(in_force.repeat_minutes[priority] ?? t("escalation.never")),
          ]),
          ...in_force.tiers.map((entries, i): [string, string] => [
            t("escalation.tier", { number: i + 1 }),
            entries.map(nameOf).join(", "),
          ]),
        ]}
      />
      <p>{t("escalation.no_access")}</p>
      {doctors_alarm_scope === "care_team_patients" && <p>{t("escalation.doctors_care_team")}</p>}
    </div>
  );
}
