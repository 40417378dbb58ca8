// A list of people of a hospital: add one by name, remove one.
import { Button, NativeSelect } from "@mantine/core";
import layout from "../../platform/design/layout.module.css";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useColleagues } from "../hospitals/use-colleagues.ts";

type PeoplePickerProps = {
  id: string;
  label: string;
  hospitalId: string;
  userIds: readonly string[];
  /** Names of people who are no longer on the staff. */
  known: readonly { user_id: string; full_name: string }[];
  max: number;
  onChange: (userIds: string[]) => void;
};

export function PeoplePicker({ id, label, hospitalId, userIds, known, max, onChange }: PeoplePickerProps) {
  const t = useTranslation();
  const { data: colleagues = [] } = useColleagues(hospitalId);
  const nameOf = (userId: string) =>
    [...colleagues, ...known].find(({ user_id }) => user_id === userId)?.full_name ?? t("common.unknown");
  const others = colleagues.filter(({ user_id }) => !userIds.includes(user_id));
  return (
    <div>
      <NativeSelect
        id={id}
        label={label}
        disabled={userIds.length >= max}
        data={[
          { value: "", label: t("escalation.add_person") },
          ...others.map(({ user_id, full_name }) => ({ value: user_id, label: full_name })),
        ]}
        value=""
        onChange={({ currentTarget: { value } }) => value !== "" && onChange([...userIds, value])}
      />
      {userIds.length > 0 && (
        <ul className={layout.stack}>
          {userIds.map((userId) => (
            <li key={userId}>
              {nameOf(userId)}{" "}
              <Button
                size="xs"
                variant="default"
                aria-label={t("escalation.remove_name", { name: nameOf(userId) })}
                onClick={() => onChange(userIds.filter((other) => other !== userId))}
              >
                {t("escalation.remove")}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
