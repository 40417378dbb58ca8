// The samples of one entry as the device sent them, and who filed or discarded it and why.
import { Button } from "@mantine/core";
import { useState } from "react";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { Table } from "../../platform/design/data-table.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { DescriptionList } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { SenderName } from "../../reports/sender-name.tsx";
import { vitalName } from "../alerts/vital-format.ts";
import { type HeldEntry, useHeldSamples } from "./api.ts";
import { formatReasons } from "./held-cells.tsx";

/** An entry has up to 1,000 samples. */
const ROWS_AT_ONCE = 100;

type HeldDetail = NonNullable<ReturnType<typeof useHeldSamples>["data"]>;

export function HeldSamplesDialog({ entry, onClose }: { entry: HeldEntry; onClose: () => void }) {
  const t = useTranslation();
  return (
    <Dialog title={t("held.samples_title")} onClose={onClose} wide>
      <QueryBoundary query={useHeldSamples(entry.held_id)}>{(detail) => <HeldSamples detail={detail} />}</QueryBoundary>
    </Dialog>
  );
}

function HeldSamples({ detail: { hospital_id, reasons, state, note, resolved_by, resolved_at, items } }: { detail: HeldDetail }) {
  const t = useTranslation();
  const zone = useHospitalTimeZone(hospital_id);
  const [shown, setShown] = useState(ROWS_AT_ONCE);
  const rows = items.slice(0, shown).map((item, index) => ({ index, sample: readFields(item) }));
  return (
    <div className={layout.stack}>
      <DescriptionList
        items={[
          [t("held.reasons"), formatReasons(reasons)],
          ...(state === "held"
            ? []
            : ([
                [t("held.state"), t(`held_state.${state}`)],
                [t("held.note"), note],
                [t("held.resolved_by"), resolved_by && <SenderName sender={{ kind: "user", id: resolved_by }} />],
                [t("held.resolved_at"), resolved_at && formatDateTime(resolved_at, zone)],
              ] as const)),
        ]}
      />
      <p className={layout.note}>{t("held.as_sent")}</p>
      <Table
        label={t("held.samples_title")}
        items={rows}
        rowKey={({ index }) => String(index)}
        columns={[
          { label: t("held.measured"), cell: ({ sample: { at } }) => formatSentTime(at, zone) },
          { label: t("held.vital"), cell: ({ sample: { code } }) => (code === null ? t("common.unknown") : vitalName(code)) },
          {
            label: t("held.value"),
            align: "end",
            cell: ({ sample: { value, unit } }) => (value === null ? t("common.unknown") : `${value} ${unit ?? ""}`),
          },
        ]}
      />
      {shown < items.length && (
        <Button variant="default" onClick={() => setShown(shown + ROWS_AT_ONCE)}>
          {t("common.show_more")}
        </Button>
      )}
    </div>
  );
}

/** Values and units as the device sent them: they may be the reason why the entry is held. */
function readFields(item: unknown) {
  const fields: Record<string, unknown> = typeof item === "object" && item !== null ? { ...item } : {};
  const text = (name: string): string | null => {
    const field = fields[name];
    return typeof field === "string" || typeof field === "number" ? String(field) : null;
  };
  return { at: text("effective_at"), code: text("code"), value: text("value"), unit: text("unit") };
}

/** In the hospital's time zone; as sent where it is no time. */
function formatSentTime(at: string | null, zone: string | undefined): string {
  const isTime = at !== null && /^\d{4}-\d\d-\d\dT/.test(at) && !Number.isNaN(Date.parse(at));
  return isTime ? formatDateTime(at, zone) : (at ?? "—");
}
