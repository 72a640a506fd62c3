// A sentence of the server, whose instants are UTC: shown in the viewer's zone, as they were said on hover.
import { local, utc } from "./format";

const INSTANT = /(\d{4}-\d\d-\d\dT[\d:.]+Z)/;

export function Told({ children }: { children: string }) {
  return children.split(INSTANT).map((part, index) =>
    index % 2 ? (
      <time key={index} dateTime={part} title={utc(part)}>
        {local(part)}
      </time>
    ) : (
      part
    ),
  );
}
