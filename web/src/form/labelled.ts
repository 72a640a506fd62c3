// What every field of a form says of itself.
import type { ReactNode } from "react";

export interface Labelled {
  label: string;
  description?: ReactNode;
  required?: boolean;
  error?: string;
  disabled?: boolean;
}
