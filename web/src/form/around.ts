// What a form of a step knows of its surroundings: variables, and a sample of the payloads that come there.
import { createContext, useContext } from "react";

import type { TriedPayload } from "../api/contract";
import { type Known, NOTHING_KNOWN } from "./completion";

export interface Sample {
  body: unknown;
  content_type: string;
  meta: TriedPayload["meta"];
  /** The run that it is from; pasted by hand without. */
  run?: number;
}

export interface Around {
  known: Known;
  /** Paths in the records that the step works on. */
  recordPaths: string[];
  sample?: Sample;
  isLooking: boolean;
  /** The step's config as it is typed, and where to try it. */
  config: Record<string, unknown>;
  step?: { flow_version: number; step: number };
  paste: (sample: Sample | undefined) => void;
}

const NOWHERE: Around = { known: NOTHING_KNOWN, recordPaths: [], isLooking: false, config: {}, paste: () => undefined };

export const AroundContext = createContext<Around>(NOWHERE);
export const useAround = (): Around => useContext(AroundContext);
