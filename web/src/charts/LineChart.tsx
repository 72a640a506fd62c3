// Lines over time, drawn by uPlot in the colours of the page.
import "uplot/dist/uPlot.min.css";

import { Box, useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import UPlot from "uplot";

export interface Line {
  label: string;
  color: string;
  /** A value for each instant; null where there is none. */
  values: Array<number | null>;
}

interface Props {
  title: string;
  /** Unix seconds, ascending. */
  instants: number[];
  /** The first and the last instant shown, Unix seconds. */
  span: [number, number];
  lines: Line[];
  format: (value: number) => string;
  /** Whether there is nothing between one whole number and the next. */
  isCounted: boolean;
}

const HEIGHT = 200;
const WHOLE = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((one) => one * 10 ** power)).flat();

export function LineChart({ title, instants, span, lines, format, isCounted }: Props) {
  const scheme = useComputedColorScheme();
  const { ref, width } = useElementSize();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current || !width) return;
    const ink = scheme === "dark" ? "#a0a4a8" : "#5c636a";
    const axis = { stroke: ink, grid: { stroke: scheme === "dark" ? "#333" : "#eee", width: 1 }, ticks: { show: false } };
    const chart = new UPlot(
      {
        width,
        height: HEIGHT,
        cursor: { drag: { x: false, y: false } },
        scales: { x: { range: span }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
        axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map(format), ...(isCounted && { incrs: WHOLE }) }],
        series: [{}, ...lines.map(({ label, color }) => ({ label, stroke: color, width: 2, points: { show: instants.length < 40 }, value: (_: UPlot, value: number | null) => (value === null ? "—" : format(value)) }))],
      },
      [instants, ...lines.map(({ values }) => values)],
      place.current,
    );
    return () => chart.destroy();
  }, [width, scheme, instants, span, lines, format, isCounted]);
  return (
    <Box className="card" p="sm">
      <h2 style={{ margin: "0 0 8px", fontSize: "0.875rem" }}>{title}</h2>
      <div ref={ref}>
        <div ref={place} role="img" aria-label={`Chart: ${title}`} />
      </div>
    </Box>
  );
}
