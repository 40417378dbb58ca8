// Time of measurement: now unless it is set back.
import { Button, TextInput } from "@mantine/core";
import { formatWallTime } from "../../platform/design/calendar-days.ts";
import { formatShortTime } from "../../platform/design/format.ts";
import { getScreenZone } from "../../platform/design/screen-zone.ts";
import { useTranslation } from "../../platform/messages/translate.ts";
import { useServerNow } from "../live/use-live.ts";
import classes from "./observation-set.module.css";

type MeasuredAtProps = {
  id: string;
  error: string | undefined;
  zone: string | undefined;
  /** Wall time; null: now. */
  value: string | null;
  onChange: (value: string | null) => void;
};

export function MeasuredAt({ id, error, zone, value, onChange }: MeasuredAtProps) {
  const t = useTranslation();
  const now = useServerNow(10_000);
  if (value === null) {
    return (
      <p className={classes.measured}>
        {t("set.measured_now", { time: formatShortTime(now, zone) })}
        <Button variant="default" onClick={() => onChange(formatWallTime(now, zone))}>
          {t("set.change_time")}
        </Button>
      </p>
    );
  }
  return (
    <div className={classes.measured}>
      <TextInput
        id={id}
        error={error}
        type="datetime-local"
        label={t("set.measured")}
        description={t("set.measured_hint", { zone: zone ?? getScreenZone() })}
        max={formatWallTime(now, zone)}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Button variant="default" onClick={() => onChange(null)}>
        {t("set.now")}
      </Button>
    </div>
  );
}
