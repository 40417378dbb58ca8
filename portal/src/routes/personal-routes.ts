// Personal routes: a patient's own pages and the account page.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { searchParams } from "../platform/search-params.ts";
import { signedInLayout } from "./base-routes.ts";

const underSignedIn = { getParentRoute: () => signedInLayout } as const;
export const personalRoutes = [
  createRoute({
    ...underSignedIn,
    path: "/me",
    component: lazyRouteComponent(() => import("../patients/own-record/home-page.tsx"), "PatientHomePage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/details",
    component: lazyRouteComponent(() => import("../patients/own-record/my-details-page.tsx"), "MyDetailsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/reports",
    component: lazyRouteComponent(() => import("../patients/own-record/my-reports-page.tsx"), "MyReportsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/reports/$reportId",
    validateSearch: searchParams("page"),
    component: lazyRouteComponent(() => import("../patients/own-record/my-report-page.tsx"), "MyReportPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/documents",
    validateSearch: searchParams("type"),
    component: lazyRouteComponent(() => import("../documents/my-documents-page.tsx"), "MyDocumentsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/documents/new",
    component: lazyRouteComponent(() => import("../documents/new-own-document-page.tsx"), "NewOwnDocumentPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/documents/$documentId",
    component: lazyRouteComponent(() => import("../documents/my-document-page.tsx"), "MyDocumentPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/documents/$documentId/new-version",
    component: lazyRouteComponent(() => import("../documents/new-own-document-page.tsx"), "NewOwnVersionPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/appointments",
    component: lazyRouteComponent(() => import("../care/appointments/appointments-pages.tsx"), "MyAppointmentsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/appointments/$appointmentId",
    component: lazyRouteComponent(() => import("../care/appointments/appointment-page.tsx"), "MyAppointmentPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/appointments/$appointmentId",
    component: lazyRouteComponent(() => import("../care/appointments/appointment-page.tsx"), "AppointmentPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/export",
    component: lazyRouteComponent(() => import("../care/exports/my-export-page.tsx"), "MyExportPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/vitals",
    validateSearch: searchParams("code", "range", "from", "to", "view"),
    component: lazyRouteComponent(() => import("../patients/own-record/my-vitals-page.tsx"), "MyVitalsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/devices",
    component: lazyRouteComponent(() => import("../patients/own-record/my-devices-page.tsx"), "MyDevicesPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/consents",
    component: lazyRouteComponent(() => import("../consents/my-consents-page.tsx"), "MyConsentsPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/consents/share",
    component: lazyRouteComponent(() => import("../consents/share-page.tsx"), "SharePage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/guardians",
    component: lazyRouteComponent(() => import("../consents/guardians/my-guardians-page.tsx"), "MyGuardiansPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/consents/$consentId",
    component: lazyRouteComponent(() => import("../consents/consent-link-page.tsx"), "ConsentLinkPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/consents/$consentId",
    component: lazyRouteComponent(() => import("../consents/my-consent-page.tsx"), "MyConsentPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/access",
    validateSearch: searchParams("from", "to", "mine"),
    component: lazyRouteComponent(() => import("../patients/own-record/my-access-page.tsx"), "MyAccessPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/me/erasure",
    component: lazyRouteComponent(() => import("../erasure/my-erasure-page.tsx"), "MyErasurePage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/account",
    component: lazyRouteComponent(() => import("../accounts/session/account-page.tsx"), "AccountPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/account/security",
    component: lazyRouteComponent(() => import("../accounts/factors/security-page.tsx"), "SecurityPage"),
  }),
  createRoute({
    ...underSignedIn,
    path: "/account/notifications",
    component: lazyRouteComponent(() => import("../notifications/preferences/message-settings-page.tsx"), "MessageSettingsPage"),
  }),
] as const;
