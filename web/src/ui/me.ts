// Who is signed in, and what their role lets them do.
import { useRead } from "../api/hooks";
import type { Me } from "../api/contract";

export type Role = Me["role"];
const ORDER: Role[] = ["read-only", "user", "manager", "administrator"];

export function useMe() {
  const { data, error, refetch } = useRead("get_me", {}, { staleTime: 60_000 });
  const me = data?.data;
  return { me, error, again: () => void refetch(), may: (role: Role) => me !== undefined && ORDER.indexOf(me.role) >= ORDER.indexOf(role) };
}
