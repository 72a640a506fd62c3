// The pages and their addresses. Each page is loaded when it is first visited.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";

import { compact, letters, named, number, one, paged, runs as runsOf, type Search, text, word } from "./addresses";
import { Broken } from "./ui/Broken";

const root = createRootRoute({ notFoundComponent: lazyRouteComponent(() => import("./pages/NotFound"), "NotFound") });
const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Search) => compact({ next: text(search.next) }),
  component: lazyRouteComponent(() => import("./pages/SignIn"), "SignIn"),
});
const setUp = createRoute({
  getParentRoute: () => root,
  path: "/set-up",
  component: lazyRouteComponent(() => import("./pages/SetUp"), "SetUp"),
});
const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  component: lazyRouteComponent(() => import("./pages/Welcome"), "Welcome"),
});
const shell = createRoute({ getParentRoute: () => root, id: "shell", component: lazyRouteComponent(() => import("./ui/Shell"), "Shell") });
const home = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/Home"), "Home"),
});
const flows = createRoute({
  getParentRoute: () => shell,
  path: "/flows",
  validateSearch: (search: Search) => compact({
    page: number(search.page),
    search: text(search.search),
    label: text(search.label),
    make: one(["new", "import"], search.make),
  }),
  component: lazyRouteComponent(() => import("./pages/Flows"), "Flows"),
});
const flow = createRoute({
  getParentRoute: () => shell,
  path: "/flows/$flow",
  component: lazyRouteComponent(() => import("./pages/Flow"), "Flow"),
});
const flowHome = createRoute({
  getParentRoute: () => flow,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/flows/$flow/canvas", params, replace: true });
  },
});
const canvas = createRoute({
  getParentRoute: () => flow,
  path: "/canvas",
  validateSearch: (search: Search) => compact({ version: number(search.version), run: number(search.run) }),
  component: lazyRouteComponent(() => import("./pages/FlowCanvas"), "FlowCanvas"),
});
const versions = createRoute({
  getParentRoute: () => flow,
  path: "/versions",
  validateSearch: paged,
  component: lazyRouteComponent(() => import("./pages/FlowVersions"), "FlowVersions"),
});
const compare = createRoute({
  getParentRoute: () => flow,
  path: "/compare",
  validateSearch: (search: Search) => compact({ from: number(search.from), to: number(search.to) }),
  component: lazyRouteComponent(() => import("./pages/Compare"), "Compare"),
});
const metrics = createRoute({
  getParentRoute: () => flow,
  path: "/metrics",
  validateSearch: (search: Search) => compact({ range: word(search.range), interval: text(search.interval), versions: word(search.versions) }),
  component: lazyRouteComponent(() => import("./pages/FlowMetrics"), "FlowMetrics"),
});
const flowRuns = createRoute({
  getParentRoute: () => flow,
  path: "/runs",
  validateSearch: runsOf,
  component: lazyRouteComponent(() => import("./pages/FlowRuns"), "FlowRuns"),
});
const schedules = createRoute({
  getParentRoute: () => flow,
  path: "/schedules",
  component: lazyRouteComponent(() => import("./pages/FlowSchedules"), "FlowSchedules"),
});
const settings = createRoute({
  getParentRoute: () => flow,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/FlowSettings"), "FlowSettings"),
});
const runs = createRoute({
  getParentRoute: () => shell,
  path: "/runs",
  validateSearch: runsOf,
  component: lazyRouteComponent(() => import("./pages/Runs"), "Runs"),
});
const run = createRoute({
  getParentRoute: () => shell,
  path: "/runs/$run",
  validateSearch: (search: Search) => compact({ step: text(search.step) }),
  component: lazyRouteComponent(() => import("./pages/Run"), "Run"),
});
const deadLetters = createRoute({
  getParentRoute: () => shell,
  path: "/dead-letters",
  validateSearch: letters,
  component: lazyRouteComponent(() => import("./pages/DeadLetters"), "DeadLetters"),
});
const connections = createRoute({
  getParentRoute: () => shell,
  path: "/connections",
  validateSearch: named,
  component: lazyRouteComponent(() => import("./pages/Connections"), "Connections"),
});
const people = createRoute({
  getParentRoute: () => shell,
  path: "/users",
  validateSearch: named,
  component: lazyRouteComponent(() => import("./pages/Users"), "Users"),
});
const keys = createRoute({
  getParentRoute: () => shell,
  path: "/api-keys",
  validateSearch: named,
  component: lazyRouteComponent(() => import("./pages/ApiKeys"), "ApiKeys"),
});

const upcoming = createRoute({
  getParentRoute: () => shell,
  path: "/schedules",
  validateSearch: (search: Search) => compact({ page: number(search.page), hours: number(search.hours), flow: number(search.flow), enabled: text(search.enabled) }),
  component: lazyRouteComponent(() => import("./pages/Schedules"), "Schedules"),
});
const connectors = createRoute({
  getParentRoute: () => shell,
  path: "/connectors",
  validateSearch: named,
  component: lazyRouteComponent(() => import("./pages/Connectors"), "Connectors"),
});
const connector = createRoute({
  getParentRoute: () => shell,
  path: "/connectors/$connector",
  component: lazyRouteComponent(() => import("./pages/Connector"), "Connector"),
});
const lookups = createRoute({
  getParentRoute: () => shell,
  path: "/lookup-tables",
  validateSearch: named,
  component: lazyRouteComponent(() => import("./pages/LookupTables"), "LookupTables"),
});
const pools = createRoute({
  getParentRoute: () => shell,
  path: "/data-pools",
  validateSearch: named,
  component: lazyRouteComponent(() => import("./pages/DataPools"), "DataPools"),
});
const lookup = createRoute({
  getParentRoute: () => shell,
  path: "/lookup-tables/$table",
  validateSearch: (search: Search) => compact({ page: number(search.page), left: word(search.left), right: word(search.right) }),
  component: lazyRouteComponent(() => import("./pages/LookupTable"), "LookupTable"),
});
const pool = createRoute({
  getParentRoute: () => shell,
  path: "/data-pools/$pool",
  validateSearch: (search: Search) => compact({ page: number(search.page), key: word(search.key) }),
  component: lazyRouteComponent(() => import("./pages/DataPool"), "DataPool"),
});
const caches = createRoute({
  getParentRoute: () => shell,
  path: "/cache",
  validateSearch: (search: Search) => compact({ page: number(search.page), key: word(search.key), scope: text(search.scope) }),
  component: lazyRouteComponent(() => import("./pages/CacheEntries"), "CacheEntries"),
});
const tracked = createRoute({
  getParentRoute: () => shell,
  path: "/tracked",
  validateSearch: (search: Search) => compact({ value: word(search.value), page: number(search.page) }),
  component: lazyRouteComponent(() => import("./pages/TrackedData"), "TrackedData"),
});
const groups = createRoute({
  getParentRoute: () => shell,
  path: "/notification-groups",
  validateSearch: named,
  component: lazyRouteComponent(() => import("./pages/NotificationGroups"), "NotificationGroups"),
});
const notifications = createRoute({
  getParentRoute: () => shell,
  path: "/notifications",
  validateSearch: (search: Search) => compact({ page: number(search.page), state: text(search.state), channel: text(search.channel), flow: number(search.flow) }),
  component: lazyRouteComponent(() => import("./pages/Notifications"), "Notifications"),
});
const company = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/Settings"), "Settings"),
});
const marketplace = createRoute({
  getParentRoute: () => shell,
  path: "/marketplace",
  validateSearch: named,
  component: lazyRouteComponent(() => import("./pages/Marketplace"), "Marketplace"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    setUp,
    welcome,
    shell.addChildren([
      home,
      flows,
      flow.addChildren([flowHome, canvas, versions, compare, flowRuns, schedules, metrics, settings]),
      runs,
      run,
      upcoming,
      deadLetters,
      connections,
      people,
      keys,
      connectors,
      connector,
      lookups,
      lookup,
      pools,
      pool,
      caches,
      tracked,
      notifications,
      groups,
      company,
      marketplace,
    ]),
  ]),
  defaultErrorComponent: Broken,
  defaultPreload: "intent",
  defaultPendingMs: 300,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
