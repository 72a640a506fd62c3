// Ending the session: nothing that was read stays in the browser's memory.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { call } from "../api/client";

export function useSignOut() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return async () => {
    await call("logout", {});
    // First away from the page, which would read again what is forgotten.
    await navigate({ to: "/sign-in" });
    client.clear();
  };
}
