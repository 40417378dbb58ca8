// First and last day of the data, and last day of access.
import { TextInput } from "@mantine/core";
import { formatDay } from "../platform/design/format.ts";
import { useTranslation } from "../platform/messages/translate.ts";
import type { DayField, DayLimits, ScopeDays } from "./scope-draft.ts";

type DayFieldsProps = {
  days: ScopeDays;
  onChange: (days: ScopeDays) => void;
  limits: DayLimits;
  /** Whether the limits are those of a request, which each field names. Empty: any day. */
  isAsked?: boolean;
  field: (path: string) => { id: string; error: string | undefined };
  labels: Record<DayField, string>;
};

export function DayFields({ days, onChange, limits, isAsked = false, field, labels }: DayFieldsProps) {
  const t = useTranslation();
  const hint = (day: string | undefined) => {
    if (!isAsked || day === undefined) return undefined;
    return day === "" ? t("consents.at_most_any") : t("consents.at_most", { day: formatDay(day) });
  };
  const input = (path: DayField, part: keyof ScopeDays) => ({
    type: "date",
    label: labels[path],
    description: hint(limits[part]),
    value: days[part],
    min: part === "expires" ? undefined : limits.from,
    max: part === "expires" ? limits.expires : limits.until,
    onChange: ({ currentTarget: { value } }: { currentTarget: { value: string } }) => onChange({ ...days, [part]: value }),
    ...field(path),
  });
  return (
    <>
      <TextInput {...input("data_from", "from")} />
      <TextInput {...input("data_until", "until")} />
      <TextInput {...input("expires_at", "expires")} />
    </>
  );
}
