// Route tree. Pages load on demand; filters are in the URL, names never are.
import { createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { LoadError, Loading, NoAccess } from "./platform/design/query-states.tsx";
import { searchParams } from "./platform/search-params.ts";
import { adminRoutes } from "./routes/admin-routes.ts";
import {
  forgotRoute,
  indexRoute,
  intakeRoute,
  invitationRoute,
  loginRoute,
  registerRoute,
  resetRoute,
  rootRoute,
  signedInLayout,
  verifyEmailRoute,
} from "./routes/base-routes.ts";
import { patientRoute } from "./routes/patient-routes.ts";
import { personalRoutes } from "./routes/personal-routes.ts";
import { privacyRoutes } from "./routes/privacy-routes.ts";
import { requestRoutes } from "./routes/request-routes.ts";

const wardRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/ward",
  validateSearch: searchParams("ward", "trend"),
  component: lazyRouteComponent(() => import("./monitoring/board/ward-page.tsx"), "WardPage"),
});
const dueRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/ward/due",
  validateSearch: searchParams("ward"),
  component: lazyRouteComponent(() => import("./monitoring/rounds/due-list-page.tsx"), "DueListPage"),
});
const alarmsRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/alarms",
  validateSearch: searchParams("state", "priority"),
  component: lazyRouteComponent(() => import("./monitoring/alerts/alarms-page.tsx"), "AlarmsPage"),
});
const alarmRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/alarms/$alertId",
  component: lazyRouteComponent(() => import("./monitoring/alerts/alarm-page.tsx"), "AlarmPage"),
});

const patientsRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/patients",
  validateSearch: searchParams("show", "ward"),
  component: lazyRouteComponent(() => import("./patients/patients-page.tsx"), "PatientsPage"),
});
const reportsRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/reports",
  validateSearch: searchParams("kind", "from", "to"),
  component: lazyRouteComponent(() => import("./reports/reports-page.tsx"), "ReportsPage"),
});
const reportRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/reports/$reportId",
  validateSearch: searchParams("page"),
  component: lazyRouteComponent(() => import("./reports/report-page.tsx"), "ReportPage"),
});
const uploadsRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/uploads",
  validateSearch: searchParams("outcome"),
  component: lazyRouteComponent(() => import("./reports/upload/uploads-page.tsx"), "UploadsPage"),
});
const newUploadRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/uploads/new",
  component: lazyRouteComponent(() => import("./reports/upload/new-upload-page.tsx"), "NewUploadPage"),
});
const quarantineRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/uploads/quarantine",
  validateSearch: searchParams("reason"),
  component: lazyRouteComponent(() => import("./reports/quarantine/quarantine-page.tsx"), "QuarantinePage"),
});
const heldRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/uploads/held",
  validateSearch: searchParams("state", "device"),
  component: lazyRouteComponent(() => import("./monitoring/held/held-page.tsx"), "HeldPage"),
});
const uploadRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/uploads/$uploadId",
  component: lazyRouteComponent(() => import("./reports/upload/upload-page.tsx"), "UploadPage"),
});
const deviceRoute = createRoute({
  getParentRoute: () => signedInLayout,
  path: "/devices/$deviceId",
  component: lazyRouteComponent(() => import("./devices/device-page.tsx"), "DevicePage"),
});

const routeTree = rootRoute.addChildren([
  loginRoute,
  registerRoute,
  intakeRoute,
  invitationRoute,
  forgotRoute,
  resetRoute,
  verifyEmailRoute,
  signedInLayout.addChildren([
    indexRoute,
    wardRoute,
    dueRoute,
    alarmsRoute,
    alarmRoute,
    patientsRoute,
    patientRoute,
    reportsRoute,
    reportRoute,
    uploadsRoute,
    newUploadRoute,
    quarantineRoute,
    heldRoute,
    uploadRoute,
    deviceRoute,
    ...adminRoutes,
    ...privacyRoutes,
    ...requestRoutes,
    ...personalRoutes,
  ]),
]);

export const router = createRouter({
  routeTree: routeTree,
  scrollRestoration: true,
  defaultPendingComponent: Loading,
  defaultErrorComponent: ({ error, reset }) => <LoadError error={error} retry={reset} />,
  defaultNotFoundComponent: () => <NoAccess />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
