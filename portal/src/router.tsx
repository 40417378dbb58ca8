// The map: which address shows what. Pages are loaded when somebody comes to them; filters are part of the address, names never.
import { createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Failed, Loading, NoAccess } from "./design/states.tsx";
import { adminPages } from "./routes/admin-pages.ts";
import { house, invitation, login, root, start } from "./routes/house.ts";
import { ownPages } from "./routes/own-pages.ts";
import { patient } from "./routes/patient-pages.ts";
import { words } from "./search-words.ts";

const ward = createRoute({
  getParentRoute: () => house,
  path: "/ward",
  validateSearch: words("ward", "trend"),
  component: lazyRouteComponent(() => import("./ward/ward-page.tsx"), "WardPage"),
});
const alarms = createRoute({
  getParentRoute: () => house,
  path: "/alarms",
  validateSearch: words("state", "priority"),
  component: lazyRouteComponent(() => import("./alarms/alarms-page.tsx"), "AlarmsPage"),
});
const alarm = createRoute({
  getParentRoute: () => house,
  path: "/alarms/$alertId",
  component: lazyRouteComponent(() => import("./alarms/alarm-page.tsx"), "AlarmPage"),
});

const patients = createRoute({
  getParentRoute: () => house,
  path: "/patients",
  validateSearch: words("show", "ward"),
  component: lazyRouteComponent(() => import("./patients/patients-page.tsx"), "PatientsPage"),
});
const reports = createRoute({
  getParentRoute: () => house,
  path: "/reports",
  validateSearch: words("kind", "from", "to"),
  component: lazyRouteComponent(() => import("./reports/reports-page.tsx"), "ReportsPage"),
});
const report = createRoute({
  getParentRoute: () => house,
  path: "/reports/$reportId",
  validateSearch: words("page"),
  component: lazyRouteComponent(() => import("./reports/report-page.tsx"), "ReportPage"),
});
const uploads = createRoute({
  getParentRoute: () => house,
  path: "/uploads",
  validateSearch: words("outcome"),
  component: lazyRouteComponent(() => import("./uploads/uploads-page.tsx"), "UploadsPage"),
});
const newUpload = createRoute({
  getParentRoute: () => house,
  path: "/uploads/new",
  component: lazyRouteComponent(() => import("./uploads/new-upload-page.tsx"), "NewUploadPage"),
});
const quarantine = createRoute({
  getParentRoute: () => house,
  path: "/uploads/quarantine",
  validateSearch: words("reason"),
  component: lazyRouteComponent(() => import("./uploads/quarantine-page.tsx"), "QuarantinePage"),
});
const upload = createRoute({
  getParentRoute: () => house,
  path: "/uploads/$uploadId",
  component: lazyRouteComponent(() => import("./uploads/upload-page.tsx"), "UploadPage"),
});
const device = createRoute({
  getParentRoute: () => house,
  path: "/devices/$deviceId",
  component: lazyRouteComponent(() => import("./devices/device-page.tsx"), "DevicePage"),
});

const tree = root.addChildren([
  login,
  invitation,
  house.addChildren([
    start,
    ward,
    alarms,
    alarm,
    patients,
    patient,
    reports,
    report,
    uploads,
    newUpload,
    quarantine,
    upload,
    device,
    ...adminPages,
    ...ownPages,
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  scrollRestoration: true,
  defaultPendingComponent: Loading,
  defaultErrorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
  defaultNotFoundComponent: () => <NoAccess />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
