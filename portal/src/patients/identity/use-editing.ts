// Editing a record in place: its version when editing began, and the focus, which goes to the form and back to the button.
import { useEffect, useRef, useState } from "react";
import type { Patient } from "../api.ts";

export type VersionedPatient = { data: Patient; etag: string };

export function useEditing() {
  // The change is sent with the ETag of when editing began, whatever was loaded since.
  const [editing, setEditing] = useState<VersionedPatient | null>(null);
  const editButton = useRef<HTMLButtonElement>(null);
  const wasEditing = useRef(false);
  useEffect(() => {
    if (!editing && wasEditing.current) editButton.current?.focus();
    wasEditing.current = editing !== null;
  }, [editing]);
  return { editing, setEditing, editButton };
}
