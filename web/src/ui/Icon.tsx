// The few line drawings that the pages use, drawn here so that no icon library is loaded.
const PATHS = {
  home: "M4 11 12 4l8 7v9h-5v-5H9v5H4z",
  flow: "M4 7h5c4 0 3 10 7 10h4M4 17h5c4 0 3-10 7-10h4",
  run: "M7 5v14l12-7z",
  letter: "M4 6h16v12H4zM4 7l8 6 8-6",
  plug: "M9 3v5m6-5v5M6 8h12v3a6 6 0 0 1-12 0zm6 9v4",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zm-6 9c0-4 3-6 6-6s6 2 6 6m1-9a3 3 0 1 0-1-6m6 15c0-3-1-5-4-6",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm-7 8c0-4 3-6 7-6s7 2 7 6",
  key: "M14 10a4 4 0 1 0-3.5 4l1.5-1.5L14 14v2h2v2h3v-3l-5.2-5.2",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5",
  close: "M6 6l12 12M18 6 6 18",
  trash: "M5 7h14M9 7V4h6v3m-8 0 1 13h8l1-13M10 11v5m4-5v5",
  undo: "M9 7 4 12l5 5M4 12h10a5 5 0 0 1 0 10h-2",
  redo: "m15 7 5 5-5 5m5-5H10a5 5 0 0 0 0 10h2",
  check: "m5 13 4 4L19 7",
  warning: "M12 4 2.5 20h19zM12 10v4m0 3h.01",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zm0-14v5l3 2",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zm5-2 5 5",
  connector: "M9 3v5m6-5v5M6 8h12v3a6 6 0 0 1-12 0zm6 9v4",
  filter: "M4 5h16l-6 8v6l-4-2v-4z",
  map: "M4 4h7v7H4zM13 13h7v7h-7zM14 7h2a3 3 0 0 1 3 3M10 17H8a3 3 0 0 1-3-3",
  package: "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8",
  tiles: "M5 5h6v6H5zm8 0h6v6h-6zM5 13h6v6H5zm8 0h6v6h-6z",
  fork: "M12 3v6m0 0-6 6v6m6-12 6 6v6",
  comb: "M12 3v18M5 21v-9h14v9",
  copies: "M9 9h11v11H9zM4 15V4h11",
  pencil: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  braces: "M9 4c-3 0-4 1-4 4s-1 4-2 4c1 0 2 1 2 4s1 4 4 4M15 4c3 0 4 1 4 4s1 4 2 4c-1 0-2 1-2 4s-1 4-4 4",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6z",
  pin: "M12 21c5-6 7-9 7-12a7 7 0 0 0-14 0c0 3 2 6 7 12zM12 11.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  shield: "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z",
  reply: "M10 6 4 12l6 6M4 12h9c4 0 7 2 7 7",
  table: "M4 5h16v14H4zM4 10h16M10 10v9",
  pool: "M4 7c0-4 16-4 16 0s-16 4-16 0v10c0 4 16 4 16 0V7M4 12c0 4 16 4 16 0",
  bag: "M5 8h14l1 12H4zM9 11V7a3 3 0 0 1 6 0v4",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5",
  moon: "M20 14A8.5 8.5 0 0 1 10 4a8.5 8.5 0 1 0 10 10z",
  screen: "M3 5h18v11H3zM8 20h8M12 16v4",
  take: "M12 4v11m0 0-4-4m4 4 4-4M5 20h14",
  leave: "M14 4h5v16h-5M4 12h11m0 0-4-4m4 4-4 4",
  calendar: "M4 6h16v14H4zM4 11h16M8 3v5m8-5v5",
  code: "m8 7-5 5 5 5m8-10 5 5-5 5",
  more: "M12 5h.01M12 12h.01M12 19h.01",
  keyboard: "M3 7h18v10H3zM7 10h.01M11 10h.01M15 10h.01M17 10h.01M8 14h8",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l2 1H4zM10 21h4",
  sliders: "M4 7h10m4 0h2M4 17h4m4 0h8M16 5v4M10 15v4",
  swap: "M4 9h15l-4-4M20 15H5l4 4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={1.8} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
