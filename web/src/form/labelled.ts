// What every field of a form says of itself.
export interface Labelled {
  label: string;
  description?: string;
  required?: boolean;
  error?: string;
  disabled?: boolean;
}
