// Form for the language of messages, the time zone and quiet hours.
import { NativeSelect, Switch, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { isTimeZone } from "../../../../src/platform/local-time.ts";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { changeMessageSettings, type MessageSettings } from "./api.ts";
import classes from "./preferences.module.css";
import { settingsQuery } from "./queries.ts";

export function SettingsCard() {
  const t = useTranslation();
  const query = useQuery(settingsQuery);
  const [isSaved, setIsSaved] = useState(false);
  return (
    <Card title={t("notify.settings")}>
      {/* A reload resets the form: input belongs to the version that it was based on. */}
      <QueryBoundary query={query}>
        {(settings) => <SettingsForm key={settings.etag} settings={settings} onSaved={setIsSaved} />}
      </QueryBoundary>
      <p role="status">{isSaved && t("notify.saved")}</p>
    </Card>
  );
}

type SettingsFormProps = { settings: MessageSettings; onSaved: (isSaved: boolean) => void };

function SettingsForm({ settings: { data, etag }, onSaved }: SettingsFormProps) {
  const t = useTranslation();
  const client = useQueryClient();
  const [language, setLanguage] = useState(data.language);
  const [zone, setZone] = useState(data.time_zone ?? "");
  const [hasQuiet, setHasQuiet] = useState(data.quiet_hours !== null);
  const [from, setFrom] = useState(data.quiet_hours?.from ?? "22:00");
  const [until, setUntil] = useState(data.quiet_hours?.until ?? "06:00");
  const validate = (): FieldErrors => ({
    ...(zone.trim() !== "" && !isTimeZone(zone.trim()) && { time_zone: t("notify.time_zone_shape") }),
    ...(hasQuiet && from === "" && { "quiet_hours.from": t("common.required") }),
    ...(hasQuiet && until === "" && { "quiet_hours.until": t("common.required") }),
    ...(hasQuiet && from !== "" && from === until && { "quiet_hours.until": t("notify.quiet_equal") }),
  });
  const save = async () => {
    onSaved(false);
    const quiet_hours = hasQuiet ? { from, until } : null;
    await changeMessageSettings(etag, { language, time_zone: zone.trim() || null, quiet_hours }).finally(() =>
      client.invalidateQueries({ queryKey: settingsQuery.queryKey }),
    );
    onSaved(true);
  };
  const labels = {
    time_zone: t("notify.time_zone"),
    "quiet_hours.from": t("notify.quiet_from"),
    "quiet_hours.until": t("notify.quiet_until"),
  };
  return (
    <Form submitLabel={t("common.save")} validate={validate} onSubmit={save} labels={labels}>
      {(field) => (
        <>
          <NativeSelect
            label={t("notify.language")}
            value={language}
            onChange={(event) => setLanguage(event.target.value === "hi" ? "hi" : "en")}
            data={[
              { value: "en", label: "English" },
              { value: "hi", label: "हिन्दी" },
            ]}
          />
          <TextInput
            {...field("time_zone")}
            label={t("notify.time_zone")}
            description={t("notify.time_zone_hint")}
            value={zone}
            onChange={(event) => setZone(event.target.value)}
            maxLength={60}
            spellCheck={false}
            autoCapitalize="none"
          />
          <Switch label={t("notify.quiet")} checked={hasQuiet} onChange={(event) => setHasQuiet(event.target.checked)} />
          <p className={layout.note}>{t("notify.quiet_text")}</p>
          {hasQuiet && (
            <div className={classes.times}>
              <TextInput
                {...field("quiet_hours.from")}
                type="time"
                label={t("notify.quiet_from")}
                value={from}
                onChange={(event) => setFrom(event.target.value)}
              />
              <TextInput
                {...field("quiet_hours.until")}
                type="time"
                label={t("notify.quiet_until")}
                value={until}
                onChange={(event) => setUntil(event.target.value)}
              />
            </div>
          )}
        </>
      )}
    </Form>
  );
}
