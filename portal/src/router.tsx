// The map: which address shows what. Pages are loaded when somebody comes to them; filters are part of the address, names never.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { Failed, Loading, NoAccess } from "./design/states.tsx";
import { words } from "./search-words.ts";
import { LoginPage } from "./session/login-page.tsx";
import { current } from "./session/session.ts";
import { landingOf } from "./shell/navigation.ts";
import { NotFound } from "./shell/not-found.tsx";
import { SignedIn } from "./shell/signed-in.tsx";

const root = createRootRoute({ notFoundComponent: NotFound });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: words("next"),
  beforeLoad: () => {
    const session = current();
    if (session.status === "signed_in") throw redirect({ to: landingOf(session.me.role) });
  },
  component: LoginPage,
});

/** Links of invitations and of new passwords: what they carry stands behind the #, which no server sees. */
const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./session/invitation-page.tsx"), "InvitationPage"),
});

const house = createRoute({
  getParentRoute: () => root,
  id: "house",
  beforeLoad: ({ location }) => {
    if (current().status === "signed_out") throw redirect({ to: "/login", search: { next: location.href } });
  },
  component: SignedIn,
});

const start = createRoute({
  getParentRoute: () => house,
  path: "/",
  beforeLoad: () => {
    const session = current();
    if ("me" in session) throw redirect({ to: landingOf(session.me.role), replace: true });
  },
});

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
const patient = createRoute({
  getParentRoute: () => house,
  path: "/patients/$patientId",
  component: lazyRouteComponent(() => import("./patients/patient-frame.tsx"), "PatientFrame"),
});
const ofPatient = { getParentRoute: () => patient } as const;
const patientPages = [
  createRoute({
    ...ofPatient,
    path: "/",
    component: lazyRouteComponent(() => import("./patients/overview-page.tsx"), "OverviewPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/vitals",
    validateSearch: words("code", "range", "from", "to", "view"),
    component: lazyRouteComponent(() => import("./vitals/vitals-page.tsx"), "VitalsPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/alarms",
    validateSearch: words("priority", "rule"),
    component: lazyRouteComponent(() => import("./alarms/patient-alarms-page.tsx"), "PatientAlarmsPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/limits",
    component: lazyRouteComponent(() => import("./rules/limits-page.tsx"), "LimitsPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/reports",
    component: lazyRouteComponent(() => import("./reports/patient-reports-page.tsx"), "PatientReportsPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/devices",
    component: lazyRouteComponent(() => import("./devices/patient-devices-page.tsx"), "PatientDevicesPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/history",
    component: lazyRouteComponent(() => import("./patients/history-page.tsx"), "HistoryPage"),
  }),
  createRoute({
    ...ofPatient,
    path: "/timeline",
    component: lazyRouteComponent(() => import("./patients/timeline-page.tsx"), "TimelinePage"),
  }),
] as const;

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

const ofHouse = { getParentRoute: () => house } as const;
const adminPages = [
  createRoute({
    ...ofHouse,
    path: "/admin",
    component: lazyRouteComponent(() => import("./admin/overview-page.tsx"), "AdminOverviewPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/users",
    validateSearch: words("role", "state", "hospital"),
    component: lazyRouteComponent(() => import("./users/users-page.tsx"), "UsersPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/users/$userId",
    component: lazyRouteComponent(() => import("./users/user-page.tsx"), "UserPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/practitioners",
    validateSearch: words("specialty", "role"),
    component: lazyRouteComponent(() => import("./practitioners/practitioners-page.tsx"), "PractitionersPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/hospitals",
    component: lazyRouteComponent(() => import("./hospitals/hospitals-page.tsx"), "HospitalsPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/hospitals/$hospitalId",
    component: lazyRouteComponent(() => import("./hospitals/hospital-page.tsx"), "HospitalPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/devices",
    validateSearch: words("kind", "hospital", "active"),
    component: lazyRouteComponent(() => import("./devices/devices-page.tsx"), "DevicesPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/rules",
    validateSearch: words("ward"),
    component: lazyRouteComponent(() => import("./rules/rules-page.tsx"), "RulesPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/api-keys",
    validateSearch: words("hospital"),
    component: lazyRouteComponent(() => import("./api-keys/api-keys-page.tsx"), "ApiKeysPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/audit",
    validateSearch: words("actor", "action", "outcome", "patient", "from", "to"),
    component: lazyRouteComponent(() => import("./audit/audit-page.tsx"), "AuditPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/admin/health",
    component: lazyRouteComponent(() => import("./admin/health-page.tsx"), "HealthPage"),
  }),
] as const;

const patientsOwnPages = [
  createRoute({ ...ofHouse, path: "/me", component: lazyRouteComponent(() => import("./me/home-page.tsx"), "HomePage") }),
  createRoute({
    ...ofHouse,
    path: "/me/reports",
    component: lazyRouteComponent(() => import("./me/my-reports-page.tsx"), "MyReportsPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/me/reports/$reportId",
    validateSearch: words("page"),
    component: lazyRouteComponent(() => import("./me/my-report-page.tsx"), "MyReportPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/me/vitals",
    validateSearch: words("code", "range", "from", "to", "view"),
    component: lazyRouteComponent(() => import("./me/my-vitals-page.tsx"), "MyVitalsPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/me/devices",
    component: lazyRouteComponent(() => import("./me/my-devices-page.tsx"), "MyDevicesPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/me/access",
    validateSearch: words("from", "to", "mine"),
    component: lazyRouteComponent(() => import("./me/my-access-page.tsx"), "MyAccessPage"),
  }),
  createRoute({
    ...ofHouse,
    path: "/account",
    component: lazyRouteComponent(() => import("./session/account-page.tsx"), "AccountPage"),
  }),
] as const;

const tree = root.addChildren([
  login,
  invitation,
  house.addChildren([
    start,
    ward,
    alarms,
    alarm,
    patients,
    patient.addChildren(patientPages),
    reports,
    report,
    uploads,
    newUpload,
    quarantine,
    upload,
    device,
    ...adminPages,
    ...patientsOwnPages,
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
