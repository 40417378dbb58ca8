// Routes of one patient, inside the layout that identifies the patient.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { searchParams } from "../platform/search-params.ts";
import { signedInLayout } from "./base-routes.ts";

const patientLayout = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/patients/$patientId",
  component: lazyRouteComponent(() => import("../patients/record/patient-layout.tsx"), "PatientLayout"),
});
const underPatientLayout = { getParentRoute: () => patientLayout } as const;
const patientPages = [
  createRoute({
    ...underPatientLayout,
    path: "/",
    component: lazyRouteComponent(() => import("../patients/record/overview-page.tsx"), "PatientOverviewPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/vitals",
    validateSearch: searchParams("code", "range", "from", "to", "view"),
    component: lazyRouteComponent(() => import("../monitoring/vitals/vitals-page.tsx"), "VitalsPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/observations/new",
    validateSearch: searchParams("set"),
    component: lazyRouteComponent(() => import("../monitoring/observation-set/observation-set-page.tsx"), "ObservationSetPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/appointments",
    component: lazyRouteComponent(() => import("../care/appointments/appointments-pages.tsx"), "PatientAppointmentsPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/alarms",
    validateSearch: searchParams("priority", "rule"),
    component: lazyRouteComponent(() => import("../monitoring/alerts/patient-alarms-page.tsx"), "PatientAlarmsPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/limits",
    component: lazyRouteComponent(() => import("../monitoring/alert-rules/limits-page.tsx"), "LimitsPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/reports",
    component: lazyRouteComponent(() => import("../reports/patient-reports-page.tsx"), "PatientReportsPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/documents",
    validateSearch: searchParams("type", "status"),
    component: lazyRouteComponent(() => import("../documents/patient-documents-page.tsx"), "PatientDocumentsPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/documents/new",
    component: lazyRouteComponent(() => import("../documents/new-patient-document-page.tsx"), "NewPatientDocumentPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/documents/request",
    component: lazyRouteComponent(() => import("../document-requests/new-request-page.tsx"), "NewRequestPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/documents/$documentId",
    component: lazyRouteComponent(() => import("../documents/patient-document-page.tsx"), "PatientDocumentPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/documents/$documentId/new-version",
    component: lazyRouteComponent(() => import("../documents/new-patient-document-page.tsx"), "NewPatientVersionPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/export",
    component: lazyRouteComponent(() => import("../care/exports/patient-export-page.tsx"), "PatientExportPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/other-hospitals",
    component: lazyRouteComponent(() => import("../consents/other-hospitals-page.tsx"), "OtherHospitalsPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/other-hospitals/new",
    component: lazyRouteComponent(() => import("../consents/request-consent-page.tsx"), "RequestConsentPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/other-hospitals/$consentId/$recordId",
    validateSearch: searchParams("show", "type", "code", "range", "from", "to", "view"),
    component: lazyRouteComponent(() => import("../consents/shared-record-page.tsx"), "SharedRecordPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/other-hospitals/$consentId/$recordId/reports/$reportId",
    validateSearch: searchParams("page"),
    component: lazyRouteComponent(() => import("../consents/shared-report-page.tsx"), "SharedReportPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/other-hospitals/$consentId/$recordId/documents/$documentId",
    component: lazyRouteComponent(() => import("../consents/shared-document-page.tsx"), "SharedDocumentPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/devices",
    component: lazyRouteComponent(() => import("../devices/patient-devices-page.tsx"), "PatientDevicesPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/history",
    component: lazyRouteComponent(() => import("../patients/record/history-page.tsx"), "PatientHistoryPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/about",
    component: lazyRouteComponent(() => import("../patients/identity/about-page.tsx"), "AboutPatientPage"),
  }),
  createRoute({
    ...underPatientLayout,
    path: "/timeline",
    component: lazyRouteComponent(() => import("../patients/record/timeline-page.tsx"), "TimelinePage"),
  }),
] as const;

export const patientRoute = patientLayout.addChildren(patientPages);
