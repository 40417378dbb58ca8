// Recipients of one tier: roles and groups to tick, and people by name.
import { Checkbox, Fieldset } from "@mantine/core";
import { useTranslation } from "../../platform/messages/translate.ts";
import type { Escalation, TierEntry } from "./api.ts";
import { PeoplePicker } from "./people-picker.tsx";

const SHARED = ["role:doctor", "role:nurse", "role:hospital_admin", "group:care_team", "group:ward_staff"] as const;
const MAX_PEOPLE = 15;

const toKey = (entry: TierEntry): string =>
  "role" in entry ? `role:${entry.role}` : "group" in entry ? `group:${entry.group}` : `user:${entry.user_id}`;
const ENTRIES: Record<(typeof SHARED)[number], TierEntry> = {
  "role:doctor": { role: "doctor" },
  "role:nurse": { role: "nurse" },
  "role:hospital_admin": { role: "hospital_admin" },
  "group:care_team": { group: "care_team" },
  "group:ward_staff": { group: "ward_staff" },
};

type TierFieldsProps = {
  id: string;
  number: number;
  entries: readonly TierEntry[];
  settings: Escalation;
  error: string | undefined;
  onChange: (entries: TierEntry[]) => void;
};

export function TierFields({ id, number, entries, settings, error, onChange }: TierFieldsProps) {
  const t = useTranslation();
  const people = entries.flatMap((entry) => ("user_id" in entry ? [entry.user_id] : []));
  const shared = entries.filter((entry) => !("user_id" in entry));
  const setPeople = (ids: string[]) => onChange([...shared, ...ids.map((user_id) => ({ user_id }))]);
  const setShared = (keys: string[]) =>
    onChange([
      ...SHARED.filter((key) => keys.includes(key)).map((key) => ENTRIES[key]),
      ...people.map((user_id) => ({ user_id })),
    ]);
  return (
    <Fieldset legend={t("escalation.tier", { number })}>
      <Checkbox.Group label={t("escalation.tier_recipients")} error={error} value={shared.map(toKey)} onChange={setShared}>
        {SHARED.map((key, i) => (
          <Checkbox key={key} {...(i === 0 && { id })} value={key} label={t(`escalation.entry.${key}`)} mt="xs" />
        ))}
      </Checkbox.Group>
      <PeoplePicker
        id={`${id}-people`}
        label={t("escalation.tier_people", { number })}
        hospitalId={settings.hospital_id}
        userIds={people}
        known={settings.people}
        max={MAX_PEOPLE}
        onChange={setPeople}
      />
    </Fieldset>
  );
}
