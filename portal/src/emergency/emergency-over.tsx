// What stands instead of a record when the emergency access that opened it is over.
import { Button } from "@mantine/core";
import { useEffect } from "react";
import { queryClient } from "../platform/api/query-client.ts";
import { formatDateTime } from "../platform/design/format.ts";
import { Card, Page } from "../platform/design/page.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import classes from "./emergency.module.css";

type EmergencyOverProps = {
  /** Null where it is not known. */
  endedAt: string | null;
  /** Reads the record again: it may be open in another way. */
  onRetry: () => void;
};

export function EmergencyOver({ endedAt, onRetry }: EmergencyOverProps) {
  const t = useTranslation();
  // The pages of the record are gone, and nothing that they read is kept.
  useEffect(() => queryClient.removeQueries({ type: "inactive" }), []);
  return (
    <Page title={t("emergency.over")}>
      <Card>
        <div className={classes.notice} role="alert">
          <p>{endedAt === null ? t("emergency.over_unknown") : t("emergency.over_at", { time: formatDateTime(endedAt) })}</p>
        </div>
        <p>{t("emergency.over_text")}</p>
        <Button variant="default" onClick={onRetry}>
          {t("emergency.read_again")}
        </Button>
      </Card>
    </Page>
  );
}
