// A hospital's policy of second steps: from which day each role needs one.
import { TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { dayInZone, startOfDayIso } from "../../platform/design/calendar-days.ts";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import layout from "../../platform/design/layout.module.css";
import { FoldedCard } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { type PolicyDates, readFactorPolicy, setFactorPolicy } from "./api.ts";
import classes from "./factors.module.css";

const ROLES = ["nurse", "doctor", "hospital_admin"] as const satisfies readonly (keyof PolicyDates)[];
type Days = Record<(typeof ROLES)[number], string>;
type FactorPolicyCardProps = { hospital: { hospital_id: string; time_zone: string } };

export function FactorPolicyCard({ hospital }: FactorPolicyCardProps) {
  const t = useTranslation();
  return (
    <FoldedCard title={t("factors.second_step")}>
      <p className={layout.note}>{t("factors.policy_text")}</p>
      <Policy hospital={hospital} />
    </FoldedCard>
  );
}

function Policy({ hospital: { hospital_id, time_zone } }: FactorPolicyCardProps) {
  const t = useTranslation();
  const queryKey = ["hospitals", "factor-policy", hospital_id];
  const query = useQuery({ queryKey, queryFn: () => readFactorPolicy(hospital_id) });
  const client = useQueryClient();
  const [isSaved, setIsSaved] = useState(false);
  const save = async (changed: PolicyDates) => {
    setIsSaved(false);
    client.setQueryData(queryKey, await setFactorPolicy(hospital_id, changed));
    setIsSaved(true);
  };
  return (
    <>
      <QueryBoundary query={query}>
        {(dates) => <PolicyForm key={JSON.stringify(dates)} dates={dates} zone={time_zone} onSave={save} />}
      </QueryBoundary>
      <p role="status">{isSaved && t("notify.saved")}</p>
    </>
  );
}

type PolicyFormProps = { dates: PolicyDates; zone: string; onSave: (dates: PolicyDates) => Promise<unknown> };

const byRole = <T,>(toValue: (role: (typeof ROLES)[number]) => T) => ({
  nurse: toValue("nurse"),
  doctor: toValue("doctor"),
  hospital_admin: toValue("hospital_admin"),
});

function PolicyForm({ dates, zone, onSave }: PolicyFormProps) {
  const t = useTranslation();
  const toDay = (at: string | null) => (at === null ? "" : dayInZone(Date.parse(at), zone));
  const [days, setDays] = useState<Days>(() => byRole((role) => toDay(dates[role])));
  /** A day that was not changed keeps its time. */
  const toDate = (role: keyof Days) => {
    if (days[role] === toDay(dates[role])) return dates[role];
    return days[role] === "" ? null : startOfDayIso(days[role], zone);
  };
  const validate = (): FieldErrors =>
    Object.fromEntries(ROLES.filter((role) => days[role] > "9999").map((role) => [role, t("factors.policy_day_wrong")]));
  return (
    <Form
      submitLabel={t("common.save")}
      validate={validate}
      onSubmit={() => onSave(byRole(toDate))}
      labels={byRole((role) => translateCode("role", role))}
    >
      {(field) => (
        <div className={classes.dates}>
          {ROLES.map((role) => (
            <TextInput
              key={role}
              {...field(role)}
              type="date"
              label={t("factors.policy_from", { role: translateCode("role", role) })}
              description={days[role] === "" ? t("factors.policy_none") : " "}
              value={days[role]}
              onChange={(event) => setDays({ ...days, [role]: event.target.value })}
            />
          ))}
        </div>
      )}
    </Form>
  );
}
