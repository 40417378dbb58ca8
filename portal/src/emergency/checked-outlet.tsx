// The page of a record that an emergency access opens, once the record is known to be open still: lists of a record that has been closed
// meanwhile are empty, which would say that there is nothing.
import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { patientQuery } from "../patients/record/use-patient-record.ts";
import { LoadError, Loading } from "../platform/design/query-states.tsx";

/** For the first page, whose layout has just read the record. */
const FRESH_MS = 2_000;

export function CheckedOutlet({ patientId }: { patientId: string }) {
  const { pathname, searchStr } = useLocation();
  return <Checked key={pathname} patientId={patientId} search={searchStr} />;
}

function Checked({ patientId, search }: { patientId: string; search: string }) {
  const [since] = useState(() => Date.now() - FRESH_MS);
  const { dataUpdatedAt, error, refetch } = useQuery({
    ...patientQuery(patientId),
    refetchOnMount: ({ state }) => (state.dataUpdatedAt < since ? "always" : true),
  });
  const shownSearch = useRef(search);
  useEffect(() => {
    if (shownSearch.current === search) return;
    shownSearch.current = search;
    void refetch();
  }, [search, refetch]);
  if (dataUpdatedAt >= since) return <Outlet />;
  return error ? <LoadError error={error} retry={() => void refetch()} /> : <Loading />;
}
