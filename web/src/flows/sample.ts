// A flow to look at and to run, which needs no other system: it makes its own orders.
import type { FlowDocument } from "../api/contract";

const ORDERS = [
  { number: "A-1001", status: "paid", customer: { name: "Ada", country: "de" }, total: 42.5 },
  { number: "A-1002", status: "open", customer: { name: "Grace", country: "us" }, total: 12 },
  { number: "A-1003", status: "paid", customer: { name: "Linus", country: "fi" }, total: 99 },
];

const step = (key: string, microservice: string, name: string, parent: string | null, config: object) => ({
  key,
  microservice,
  name,
  config,
  parent,
  route: null,
  position: null,
  is_enabled: true,
  variables: {},
});

export const SAMPLE: FlowDocument = {
  format: "flowloom.flow",
  format_version: 1,
  flow: { name: "Sample: paid orders", description: "Makes three orders, keeps the paid ones and renames their fields.", labels: ["sample"] },
  definition: {
    steps: [
      step("start", "trigger", "Start", null, {}),
      step("orders", "manual-payload", "Three orders", "start", { body: JSON.stringify(ORDERS), content_type: "application/json" }),
      step("paid", "filter", "Paid ones", "orders", { where: { field: "status", operator: "equals", value: "paid" } }),
      step("wanted", "map", "As the warehouse wants them", "paid", {
        rules: [
          { target: "reference", source: "number" },
          { target: "ship_to.name", source: "customer.name" },
          { target: "ship_to.country", source: "customer.country", transforms: [{ name: "upper" }] },
          { target: "total", source: "total" },
        ],
      }),
    ],
    routes: [],
    variables: {},
  },
  schedules: [],
  secrets: [],
};
