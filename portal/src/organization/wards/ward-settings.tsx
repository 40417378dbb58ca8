// Settings of a ward: how its patients are watched, and when their NEWS2 alarms sound.
import { Checkbox, NativeSelect, Textarea } from "@mantine/core";
import { useState } from "react";
import { GRACE_MINUTES, OBSERVATION_MODES, type ObservationMode } from "../../../../src/monitoring/vitals/freshness.ts";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { Dialog } from "../../platform/design/dialog.tsx";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { NumberTextInput } from "../../platform/design/number-text-input.tsx";
import { parseNumber } from "../../platform/design/parse-number.ts";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { changeWard, type Ward, type WardChange } from "../hospitals/api.ts";
import { useColleagueName } from "../hospitals/use-colleagues.ts";

type WardSettingsProps = { ward: Ward; zone: string; onChanged: () => Promise<unknown>; onClose: () => void };
const PROFILES = ["rcp", "sustained"] as const;

export function WardSettings({ ward, zone, onChanged, onClose }: WardSettingsProps) {
  const t = useTranslation();
  const [mode, setMode] = useState<ObservationMode>(ward.observation_mode);
  const [grace, setGrace] = useState(String(ward.observation_grace_minutes));
  const [profile, setProfile] = useState(ward.news2_profile);
  const [reason, setReason] = useState(ward.news2_profile_reason ?? "");
  const [alarmsOverdue, setAlarmsOverdue] = useState(ward.overdue_alarm);
  const [hasMark, setHasMark] = useState(ward.trend_mark);
  const [markReason, setMarkReason] = useState(ward.trend_mark_reason ?? "");
  const isSustained = profile === "sustained";
  const labels = {
    observation_grace_minutes: t("wards.grace"),
    news2_profile_reason: t("wards.profile_reason"),
    trend_mark_reason: t("wards.trend_mark_reason"),
  };

  const validate = (): FieldErrors => {
    const minutes = parseNumber(grace);
    const isGrace = minutes !== null && Number.isInteger(minutes) && minutes >= GRACE_MINUTES.min && minutes <= GRACE_MINUTES.max;
    return {
      ...(!isGrace && { observation_grace_minutes: t("wards.grace_range", { min: GRACE_MINUTES.min, max: GRACE_MINUTES.max }) }),
      ...(isSustained && reason.trim() === "" && { news2_profile_reason: t("common.required") }),
      ...(hasMark && markReason.trim() === "" && { trend_mark_reason: t("common.required") }),
    };
  };
  const save = async () => {
    const change = toChange(ward, {
      mode,
      grace: parseNumber(grace) ?? ward.observation_grace_minutes,
      alarmsOverdue,
      profile,
      reason: reason.trim(),
      hasMark,
      markReason: markReason.trim(),
    });
    // A ward that somebody else has changed meanwhile is read again before the next attempt.
    if (Object.keys(change).length > 0)
      await withErrorMessages(changeWard(ward, change), { precondition_failed: t("wards.changed_meanwhile") }).finally(onChanged);
    onClose();
  };
  return (
    <Dialog title={t("wards.settings_title", { name: ward.name })} onClose={onClose}>
      <Form submitLabel={t("common.save")} validate={validate} onCancel={onClose} onSubmit={save} labels={labels}>
        {(field) => (
          <>
            <NativeSelect
              {...field("observation_mode")}
              label={t("wards.mode")}
              description={translateCode("wards.mode_hint", mode)}
              data={OBSERVATION_MODES.map((value) => ({ value, label: translateCode("wards.mode", value) }))}
              value={mode}
              onChange={({ currentTarget: { value } }) => setMode(OBSERVATION_MODES.find((one) => one === value) ?? mode)}
              data-autofocus
            />
            <NumberTextInput
              {...field("observation_grace_minutes")}
              label={t("wards.grace")}
              description={t("wards.grace_hint")}
              inputMode="numeric"
              value={grace}
              onText={setGrace}
            />
            <Checkbox
              label={t("wards.overdue_alarm")}
              description={t("wards.overdue_alarm_hint")}
              checked={alarmsOverdue}
              onChange={({ currentTarget }) => setAlarmsOverdue(currentTarget.checked)}
            />
            <NativeSelect
              {...field("news2_profile")}
              label={t("wards.profile")}
              description={translateCode("wards.profile_hint", profile)}
              data={PROFILES.map((value) => ({ value, label: translateCode("wards.profile", value) }))}
              value={profile}
              onChange={({ currentTarget: { value } }) => setProfile(value === "sustained" ? "sustained" : "rcp")}
            />
            {isSustained && (
              <Textarea
                {...field("news2_profile_reason")}
                label={t("wards.profile_reason")}
                description={t("wards.profile_reason_hint")}
                maxLength={500}
                value={reason}
                onChange={({ currentTarget }) => setReason(currentTarget.value)}
              />
            )}
            <ChosenBy
              ward={ward}
              by={ward.news2_profile_by}
              at={ward.news2_profile_at}
              zone={zone}
              message="wards.profile_chosen"
            />
            <Checkbox
              label={t("wards.trend_mark")}
              description={t("wards.trend_mark_hint")}
              checked={hasMark}
              onChange={({ currentTarget }) => setHasMark(currentTarget.checked)}
            />
            {hasMark && (
              <Textarea
                {...field("trend_mark_reason")}
                label={t("wards.trend_mark_reason")}
                description={t("wards.trend_mark_reason_hint")}
                maxLength={500}
                value={markReason}
                onChange={({ currentTarget }) => setMarkReason(currentTarget.value)}
              />
            )}
            <ChosenBy ward={ward} by={ward.trend_mark_by} at={ward.trend_mark_at} zone={zone} message="wards.trend_mark_chosen" />
          </>
        )}
      </Form>
    </Dialog>
  );
}

type ChosenByProps = Pick<WardSettingsProps, "ward" | "zone"> & {
  by: string | null;
  at: string | null;
  message: "wards.profile_chosen" | "wards.trend_mark_chosen";
};

/** Who chose a setting, and when. */
function ChosenBy({ ward, by, at, zone, message }: ChosenByProps) {
  const t = useTranslation();
  const getColleagueName = useColleagueName(ward.hospital_id);
  if (at === null) return null;
  const name = getColleagueName(by) ?? t("common.unknown");
  return <p className={layout.note}>{t(message, { name, time: formatDateTime(at, zone) })}</p>;
}

type Settings = {
  mode: ObservationMode;
  grace: number;
  alarmsOverdue: boolean;
  profile: Ward["news2_profile"];
  reason: string;
  hasMark: boolean;
  markReason: string;
};

/** The fields that differ from what the ward has. A new reason is a new choice. */
function toChange(ward: Ward, { mode, grace, alarmsOverdue, profile, reason, hasMark, markReason }: Settings): WardChange {
  const isChosen = profile !== ward.news2_profile || (profile === "sustained" && reason !== ward.news2_profile_reason);
  const isMarkChosen = hasMark !== ward.trend_mark || (hasMark && markReason !== ward.trend_mark_reason);
  return {
    ...(mode !== ward.observation_mode && { observation_mode: mode }),
    ...(grace !== ward.observation_grace_minutes && { observation_grace_minutes: grace }),
    ...(alarmsOverdue !== ward.overdue_alarm && { overdue_alarm: alarmsOverdue }),
    ...(isChosen && { news2_profile: profile, ...(profile === "sustained" && { news2_profile_reason: reason }) }),
    ...(isMarkChosen && { trend_mark: hasMark, ...(hasMark && { trend_mark_reason: markReason }) }),
  };
}
