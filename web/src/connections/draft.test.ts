import { describe, expect, it } from "vitest";

import type { Connection } from "../api/contract";
import { bodyOf, draftOf } from "./draft";

const shop: Connection = {
  id: 1,
  name: "Shop",
  base_url: "https://shop.example",
  allowed_hosts: ["shop.example"],
  protocol: "http",
  auth: { type: "basic", username: "mo", has_secret: true },
  headers: { "X-Kind": "a" },
  rate_limit: { per_minute: 30, burst: 1 },
  circuit_breaker: { failures: 5, pause_seconds: 60 },
  variables: { store: 7 },
  secrets: ["api_key"],
  created_at: "",
  updated_at: "",
};

describe("a connection that is edited", () => {
  it("sends what it was when nothing is changed, and no secret", () => {
    expect(bodyOf(draftOf(shop), shop)).toEqual({
      name: "Shop",
      base_url: "https://shop.example",
      allowed_hosts: ["shop.example"],
      auth: { type: "basic", username: "mo" },
      connector_id: null,
      headers: { "X-Kind": "a" },
      timeout_seconds: null,
      rate_limit: { per_minute: 30, burst: 1 },
      circuit_breaker: { failures: 5, pause_seconds: 60 },
      variables: { store: 7 },
    });
  });

  it("keeps a secret variable beside a new one", () => {
    const draft = draftOf(shop);
    draft.secrets.push({ name: "more", value: "a-long-secret", isKept: false });
    expect(bodyOf(draft, shop).secrets).toEqual({ api_key: null, more: "a-long-secret" });
  });

  it("drops one that was taken out", () => {
    expect(bodyOf({ ...draftOf(shop), secrets: [] }, shop).secrets).toEqual({});
  });

  it("takes off limits", () => {
    const body = bodyOf({ ...draftOf(shop), rate: { per: "second", count: undefined, burst: undefined }, circuit: { failures: undefined, pauseSeconds: 60 } }, shop);
    expect([body.rate_limit, body.circuit_breaker]).toEqual([null, null]);
  });

  it("over SFTP sends its server only, and the protocol once", () => {
    const draft = { ...draftOf(undefined), name: "Files", protocol: "sftp" as const, server: { host: "files.example", username: "mo", password: "", host_key: "SHA256:x", database: "left over" } };
    expect(bodyOf(draft, undefined)).toEqual({ name: "Files", protocol: "sftp", timeout_seconds: null, variables: {}, server: { host: "files.example", username: "mo", host_key: "SHA256:x" } });
  });

  it("leaves the authentication to its connector", () => {
    const body = bodyOf({ ...draftOf(undefined), name: "Shop", connectorId: 3 }, undefined);
    expect([body.auth, body.base_url, body.connector_id]).toEqual([undefined, null, 3]);
  });
});
