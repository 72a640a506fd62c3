// What each role may do, in words.
export const ROLES = [
  { value: "read-only", label: "Reader: sees everything, changes nothing" },
  { value: "user", label: "User: also starts, stops and retries runs" },
  { value: "manager", label: "Manager: also changes flows and all that belongs to them" },
  { value: "administrator", label: "Administrator: also manages users and uploads" },
];


export const shortRole = (role: string) => ROLES.find(({ value }) => value === role)?.label.split(":")[0] ?? role;
