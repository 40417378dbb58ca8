// The pages of one patient, within the frame that says whose they are.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { words } from "../search-words.ts";
import { house } from "./house.ts";

const frame = createRoute({
  getParentRoute: () => house,
  path: "/patients/$patientId",
  component: lazyRouteComponent(() => import("../patients/patient-frame.tsx"), "PatientFrame"),
});
const ofPatient = { getParentRoute: () => frame } as const;
const pages = [
  createRoute({
    ...ofPatient,
    path: "/",
    component: lazyRouteComponent(() => import("../patients/overview-page.tsx"), "OverviewPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/vitals",
    validateSearch: words("code", "range", "from", "to", "view"),
    component: lazyRouteComponent(() => import("../vitals/vitals-page.tsx"), "VitalsPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/alarms",
    validateSearch: words("priority", "rule"),
    component: lazyRouteComponent(() => import("../alarms/patient-alarms-page.tsx"), "PatientAlarmsPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/limits",
    component: lazyRouteComponent(() => import("../rules/limits-page.tsx"), "LimitsPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/reports",
    component: lazyRouteComponent(() => import("../reports/patient-reports-page.tsx"), "PatientReportsPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/devices",
    component: lazyRouteComponent(() => import("../devices/patient-devices-page.tsx"), "PatientDevicesPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/history",
    component: lazyRouteComponent(() => import("../patients/history-page.tsx"), "HistoryPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/timeline",
    component: lazyRouteComponent(() => import("../patients/timeline-page.tsx"), "TimelinePage"),
  }),
] as const;

export const patient = frame.addChildren(pages);
