// Links between the pages of documents: under a patient's record for staff, under "me" for patients.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { SharedPlace } from "../consents/shared-place.ts";
import { LinkButton } from "../platform/design/link-button.tsx";

/** Whose documents a page shows. `isOwn`: to the patients themselves. `shared`: another hospital's, read only. */
export type Place = { patientId: string; isOwn: boolean; shared?: SharedPlace };
type LinkProps = { place: Place; documentId: string; children: ReactNode };

export function DocumentLink({ place: { patientId, isOwn, shared }, documentId, children }: LinkProps) {
  if (shared) {
    return (
      <Link
        to="/patients/$patientId/other-hospitals/$consentId/$recordId/documents/$documentId"
        params={{ ...shared, documentId }}
      >
        {children}
      </Link>
    );
  }
  if (isOwn) {
    return (
      <Link to="/me/documents/$documentId" params={{ documentId }}>
        {children}
      </Link>
    );
  }
  return (
    <Link to="/patients/$patientId/documents/$documentId" params={{ patientId, documentId }}>
      {children}
    </Link>
  );
}

export function DocumentsLink({ place: { patientId, isOwn, shared }, children }: Omit<LinkProps, "documentId">) {
  if (shared) {
    return (
      <Link to="/patients/$patientId/other-hospitals/$consentId/$recordId" params={shared} search={{ show: "documents" }}>
        {children}
      </Link>
    );
  }
  if (isOwn) return <Link to="/me/documents">{children}</Link>;
  return (
    <Link to="/patients/$patientId/documents" params={{ patientId }}>
      {children}
    </Link>
  );
}

export function NewDocumentButton({ place: { patientId, isOwn }, children }: Omit<LinkProps, "documentId">) {
  if (isOwn) return <LinkButton to="/me/documents/new">{children}</LinkButton>;
  return (
    <LinkButton to="/patients/$patientId/documents/new" params={{ patientId }}>
      {children}
    </LinkButton>
  );
}

export function NewVersionButton({ place: { patientId, isOwn }, documentId, children }: LinkProps) {
  if (isOwn) {
    return (
      <LinkButton to="/me/documents/$documentId/new-version" params={{ documentId }} variant="default">
        {children}
      </LinkButton>
    );
  }
  return (
    <LinkButton to="/patients/$patientId/documents/$documentId/new-version" params={{ patientId, documentId }} variant="default">
      {children}
    </LinkButton>
  );
}
