// Small bars of how runs ended: one for each of the last 24 hours.
import { Box, Tooltip } from "@mantine/core";

import type { Results } from "../api/contract";
import { type End, ENDS, type Hour, hours, inWords, sum, total } from "./results";

const COLORS: Record<End, string> = { success: "teal", partial: "yellow", stopped: "orange", failure: "red" };
const BAR = 4;
const GAP = 1;

export function Spark({ results, height = 22 }: { results: Results[]; height?: number }) {
  const all = hours(results, Date.now());
  const most = Math.max(...all.map(total));
  const width = all.length * (BAR + GAP);
  return (
    <Tooltip label={`24 hours: ${inWords(sum(all))}`}>
      <Box component="svg" width={width} height={height} role="img" aria-label={`In 24 hours: ${inWords(sum(all))}`} style={{ display: "block" }}>
        <path d={`M0 ${height - 0.5}H${width}`} stroke="var(--line)" />
        {all.map((hour, at) => (
          <Bar key={hour.starts_at} hour={hour} x={at * (BAR + GAP)} height={height} most={most} />
        ))}
      </Box>
    </Tooltip>
  );
}

function Bar({ hour, x, height, most }: { hour: Hour; x: number; height: number; most: number }) {
  let top = height;
  return ENDS.map((end) => {
    // What happened at all is seen, however much happened in other hours.
    const tall = hour[end] ? Math.max(2, (hour[end] / most) * (height - 2)) : 0;
    top -= tall;
    return tall > 0 && <rect key={end} x={x} y={Math.max(0, top)} width={BAR} height={tall} fill={`var(--mantine-color-${COLORS[end]}-6)`} />;
  });
}
