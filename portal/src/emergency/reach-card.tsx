// How far emergency access of a hospital reaches: its administrators choose in plain words.
import { Radio } from "@mantine/core";
import { useState } from "react";
import { useMe } from "../accounts/session/use-session.ts";
import type { Hospital } from "../organization/hospitals/api.ts";
import { Form } from "../platform/design/form.tsx";
import layout from "../platform/design/layout.module.css";
import { FoldedCard } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import classes from "./emergency.module.css";

type Reach = Hospital["emergency_reach"];
const REACHES = ["none", "own_hospital", "any_hospital"] as const satisfies readonly Reach[];

type ReachCardProps = { hospital: Hospital; onSave: (reach: Reach) => Promise<void> };

export function ReachCard({ hospital, onSave }: ReachCardProps) {
  const t = useTranslation();
  const { role } = useMe();
  const { emergency_reach: reach } = hospital;
  const [isSaved, setIsSaved] = useState(false);
  const save = async (chosen: Reach) => {
    await onSave(chosen);
    setIsSaved(true);
  };
  return (
    <FoldedCard title={t("emergency.title")}>
      <div className={layout.stack}>
        <p className={layout.note}>{t("emergency.reach_text")}</p>
        {role === "hospital_admin" ? (
          <ReachForm key={reach} reach={reach} onSave={save} onChange={() => setIsSaved(false)} />
        ) : (
          <p>
            <strong>{t(`emergency.reach.${reach}`)}.</strong> {t(`emergency.reach_hint.${reach}`)}
          </p>
        )}
        <p role="status">{isSaved && t("common.saved")}</p>
      </div>
    </FoldedCard>
  );
}

type ReachFormProps = { reach: Reach; onSave: (reach: Reach) => Promise<void>; onChange: () => void };

function ReachForm({ reach, onSave, onChange }: ReachFormProps) {
  const t = useTranslation();
  const [chosen, setChosen] = useState(reach);
  const choose = (value: string) => {
    onChange();
    setChosen(REACHES.find((one) => one === value) ?? chosen);
  };
  return (
    <Form submitLabel={t("common.save")} onSubmit={() => onSave(chosen)}>
      {(field) => (
        <Radio.Group {...field("emergency_reach")} label={t("emergency.reach_question")} value={chosen} onChange={choose}>
          {REACHES.map((value) => (
            <Radio
              key={value}
              className={classes.choice}
              value={value}
              label={t(`emergency.reach.${value}`)}
              description={t(`emergency.reach_hint.${value}`)}
            />
          ))}
        </Radio.Group>
      )}
    </Form>
  );
}
