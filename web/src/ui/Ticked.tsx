// A text whose names of fields stand between back-ticks, as the server's texts about steps have them.
import { Code } from "@mantine/core";

export function Ticked({ children }: { children: string }) {
  return children.split("`").map((part, index) => (index % 2 ? <Code key={index} fz="inherit">{part}</Code> : part));
}
