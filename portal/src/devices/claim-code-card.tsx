// Pairing code as QR code and text, with its remaining lifetime.
import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { formatDuration } from "../platform/design/format.ts";
import layout from "../platform/design/layout.module.css";
import { useOfflineGuard } from "../platform/design/offline-guard.tsx";
import { Card } from "../platform/design/page.tsx";
import { QrCode } from "../platform/design/qr-code.tsx";
import { ActionError } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import { type ClaimCode, type Device, issueClaimCode } from "./api.ts";
import classes from "./devices.module.css";

/** `until` is in the page's monotonic time, which clock changes do not affect. */
type ShownCode = { code: string; expiresAt: number };
const toShownCode = ({ code, validForMs: lives_ms }: ClaimCode): ShownCode => ({ code, expiresAt: performance.now() + lives_ms });

export function ClaimCodeCard({ device }: { device: Device }) {
  const t = useTranslation();
  const [shownCode, setShownCode] = useState<ShownCode | null>(null);
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  const { offlineProps, offlineNotice } = useOfflineGuard();
  const issue = () => {
    setState({ busy: true, error: null });
    issueClaimCode(device.device_id).then(
      (code) => {
        setShownCode(toShownCode(code));
        setState({ busy: false, error: null });
      },
      (error: unknown) => setState({ busy: false, error }),
    );
  };
  return (
    <Card
      title={t("devices.code")}
      actions={
        <Button variant="default" loading={state.busy} onClick={issue} {...offlineProps}>
          {t(shownCode ? "devices.code_again" : "devices.code_issue")}
        </Button>
      }
    >
      <p className={layout.muted}>{t("devices.code_text")}</p>
      {offlineNotice}
      <ActionError error={state.error} />
      {shownCode && <CodeView {...shownCode} />}
    </Card>
  );
}

function CodeView({ code, expiresAt }: ShownCode) {
  const t = useTranslation();
  const secondsLeft = useSecondsLeft(expiresAt);
  const groups = code.split("-");
  return (
    <div className={classes.code}>
      {secondsLeft > 0 && <QrCode text={code} label={t("devices.code_qr")} />}
      <p
        className={classes.letters}
        data-over={secondsLeft <= 0}
        aria-label={groups.map((group) => [...group].join(" ")).join(", ")}
        role="img"
      >
        {groups.map((group) => (
          <span key={group}>{group}</span>
        ))}
      </p>
      {secondsLeft > 0 ? (
        <p role="timer">{t("devices.code_left", { time: formatDuration(secondsLeft) })}</p>
      ) : (
        <p role="status">
          <strong>{t("devices.code_over")}</strong>
        </p>
      )}
    </div>
  );
}

function useSecondsLeft(expiresAt: number): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return Math.floor((expiresAt - now) / 1000);
}
