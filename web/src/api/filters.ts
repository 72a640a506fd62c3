// How a value is written in a filter that takes several, with commas between. Pure.
export const exactly = (value: string | undefined): string | undefined => value?.replace(/[\\,]/g, "\\$&");
