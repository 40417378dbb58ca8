// Which record a patient looks at: most have one, some one at each of their hospitals.
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Card, Page } from "../design/page.tsx";
import { Query } from "../design/states.tsx";
import { useSay } from "../messages/index.ts";
import { listPatients, nameOf, type PatientSummary, readHospital } from "../patients/api.ts";
import { chooseRecord, useChosenRecord } from "./chosen-record.ts";
import { ClaimRecord } from "./claim-record.tsx";
import classes from "./me.module.css";

const useRecords = () => useQuery({ queryKey: ["me", "records"], queryFn: () => listPatients({}, null) });

type MyPageProps = {
  title: string;
  /** Where the title has a name in it. */
  windowTitle?: string;
  children: (record: PatientSummary) => ReactNode;
};

/** A page about the record that is chosen, and the choice where there are several. */
export function MyPage({ title, windowTitle, children }: MyPageProps) {
  const query = useRecords();
  const chosen = useChosenRecord();
  const records = query.data?.items ?? [];
  const record = records.find(({ patient_id }) => patient_id === chosen) ?? records[0];
  return (
    <Page title={title} windowTitle={windowTitle}>
      <Query query={query}>
        {() =>
          record ? (
            <>
              {records.length > 1 && <Choice records={records} record={record} />}
              {children(record)}
            </>
          ) : (
            <NoRecord />
          )
        }
      </Query>
    </Page>
  );
}

function Choice({ records, record }: { records: readonly PatientSummary[]; record: PatientSummary }) {
  const say = useSay();
  const hospitals = useQuery({
    queryKey: ["me", "hospitals", records.map(({ hospital_id }) => hospital_id)],
    queryFn: () => Promise.all(records.map(({ hospital_id }) => readHospital(hospital_id).catch(() => null))),
    staleTime: 300_000,
  });
  const hospitalOf = (index: number) => hospitals.data?.[index]?.name ?? "";
  return (
    <NativeSelect
      className={classes.choice ?? ""}
      label={say("me.which_record")}
      value={record.patient_id}
      onChange={(event) => chooseRecord(event.target.value)}
      data={records.map((one, index) => ({
        value: one.patient_id,
        label: [nameOf(one), hospitalOf(index), say("common.number", { n: one.patient_number })].filter(Boolean).join(" · "),
      }))}
    />
  );
}

function NoRecord() {
  const say = useSay();
  return (
    <Card title={say("me.no_record")}>
      <p>{say("me.no_record_text")}</p>
      <ClaimRecord />
    </Card>
  );
}
