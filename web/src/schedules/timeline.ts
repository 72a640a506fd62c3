// Where instants stand on a line of time, and where its marks are. Pure.
import { offset } from "./clock";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const STEPS_MS = [1, 2, 3, 6, 12, 24].map((hours) => hours * HOUR_MS);

export interface Span {
  from: number;
  to: number;
}

/** How far along the line an instant is, in per cent. */
export function place(at: number, { from, to }: Span): number {
  return ((at - from) / (to - from)) * 100;
}

/** Instants at whole hours or days of a zone's clock, `most` at the most. */
export function marks(span: Span, zone: string, most: number): number[] {
  const length = span.to - span.from;
  const step = STEPS_MS.find((one) => length / one <= most) ?? 24 * HOUR_MS;
  const shift = offset(zone, span.from) * MINUTE_MS;
  const first = Math.ceil((span.from + shift) / step) * step - shift;
  return Array.from({ length: Math.max(0, Math.ceil((span.to - first) / step)) }, (_, index) => first + index * step);
}
