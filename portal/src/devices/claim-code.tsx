// A claim code on the screen: for a camera and for eyes, and how long it is still good.
import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { encode } from "uqr";
import layout from "../design/layout.module.css";
import { useHeld } from "../design/offline.tsx";
import { Card } from "../design/page.tsx";
import { NotDone } from "../design/states.tsx";
import { span } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { type ClaimCode, type Device, issueCode } from "./api.ts";
import classes from "./devices.module.css";

/** `until`: by the time that passes in this page, which no clock's setting changes. */
type Shown = { code: string; until: number };
const shownFrom = ({ code, lives_ms }: ClaimCode): Shown => ({ code, until: performance.now() + lives_ms });

export function ClaimCodeCard({ device }: { device: Device }) {
  const say = useSay();
  const [shown, setShown] = useState<Shown | null>(null);
  const [state, setState] = useState<{ busy: boolean; error: unknown }>({ busy: false, error: null });
  const { held, reason } = useHeld();
  const issue = () => {
    setState({ busy: true, error: null });
    issueCode(device.device_id).then(
      (code) => {
        setShown(shownFrom(code));
        setState({ busy: false, error: null });
      },
      (error: unknown) => setState({ busy: false, error }),
    );
  };
  return (
    <Card
      title={say("devices.code")}
      actions={
        <Button variant="default" loading={state.busy} onClick={issue} {...held}>
          {say(shown ? "devices.code_again" : "devices.code_issue")}
        </Button>
      }
    >
      <p className={layout.muted}>{say("devices.code_text")}</p>
      {reason}
      <NotDone error={state.error} />
      {shown && <Code {...shown} />}
    </Card>
  );
}

function Code({ code, until }: Shown) {
  const say = useSay();
  const left = useSecondsLeft(until);
  const groups = code.split("-");
  return (
    <div className={classes.code}>
      {left > 0 && <QrCode text={code} label={say("devices.code_qr")} />}
      <p
        className={classes.letters}
        data-over={left <= 0}
        aria-label={groups.map((group) => [...group].join(" ")).join(", ")}
        role="img"
      >
        {groups.map((group) => (
          <span key={group}>{group}</span>
        ))}
      </p>
      {left > 0 ? (
        <p role="timer">{say("devices.code_left", { time: span(left) })}</p>
      ) : (
        <p role="status">
          <strong>{say("devices.code_over")}</strong>
        </p>
      )}
    </div>
  );
}

function useSecondsLeft(until: number): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return Math.floor((until - now) / 1000);
}

function QrCode({ text, label }: { text: string; label: string }) {
  // Four light modules around it are part of a QR code.
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  return (
    <svg className={classes.qr} viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      {data.flatMap((row, y) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: a module is its place
        row.map((dark, x) => dark && <rect key={`${x} ${y}`} x={x} y={y} width={1} height={1} />),
      )}
    </svg>
  );
}
