// Page of the selected record: most patients have one, some one per hospital.
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useMe } from "../../accounts/session/use-session.ts";
import { useHospitalTimeZone } from "../../organization/hospitals/use-hospitals.ts";
import { Card, Page } from "../../platform/design/page.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { usePageZone } from "../../platform/design/screen-zone.ts";
import { type t as translate, useTranslation } from "../../platform/messages/translate.ts";
import { getFullName, listPatients, type PatientSummary } from "../api.ts";
import { setChosenRecord, useChosenRecord } from "./chosen-record.ts";
import { ClaimRecord } from "./claim-record.tsx";
import classes from "./me.module.css";

/** The records that are linked to the account. */
export const useRecords = () => useQuery({ queryKey: ["me", "records"], queryFn: () => listPatients({}, null) });

/** Whose record it is, where, and its number. */
export const formatRecord = (record: PatientSummary, hospitalName: string | undefined, t: typeof translate): string =>
  [getFullName(record), hospitalName, t("common.number", { n: record.patient_number })].filter(Boolean).join(" · ");

type MyPageProps = {
  title: string;
  /** Window title, where the page title contains a name. */
  windowTitle?: string;
  children: (record: PatientSummary) => ReactNode;
};

/** Renders a page of the selected record, with a selector when there are several. */
export function MyPage({ title, windowTitle, children }: MyPageProps) {
  const query = useRecords();
  const chosenId = useChosenRecord();
  const records = query.data?.items ?? [];
  const record = records.find(({ patient_id }) => patient_id === chosenId) ?? records[0];
  usePageZone(useHospitalTimeZone(record?.hospital_id));
  return (
    <Page title={title} windowTitle={windowTitle}>
      <QueryBoundary query={query}>
        {() =>
          record ? (
            <>
              {records.length > 1 && <RecordSelect records={records} record={record} />}
              {children(record)}
            </>
          ) : (
            <NoRecord />
          )
        }
      </QueryBoundary>
    </Page>
  );
}

function RecordSelect({ records, record }: { records: readonly PatientSummary[]; record: PatientSummary }) {
  const t = useTranslation();
  const { patients } = useMe();
  const findHospitalName = (id: string) => patients.find(({ patient_id }) => patient_id === id)?.hospital_name;
  return (
    <NativeSelect
      className={classes.choice ?? ""}
      label={t("me.which_record")}
      value={record.patient_id}
      onChange={(event) => setChosenRecord(event.target.value)}
      data={records.map((one) => ({
        value: one.patient_id,
        label: formatRecord(one, findHospitalName(one.patient_id), t),
      }))}
    />
  );
}

function NoRecord() {
  const t = useTranslation();
  return (
    <Card title={t("me.no_record")}>
      <p>{t("me.no_record_text")}</p>
      <ClaimRecord />
    </Card>
  );
}
