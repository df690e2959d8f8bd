/** The live view: a line for each connection that opens and closes, and on a terminal a table of those that are there. */
import type { Host } from '../host.ts';
import type { Flow } from './flow.ts';
import type { Recorder } from './recorder.ts';
import type { Screen } from './screen.ts';

/** How often the table is renewed, ms. */
const PERIOD = 250;
/** Connections that the table shows. */
const ROWS = 8;

/** Starts the view. @returns what ends it */
export function watch(host: Host, recorder: Recorder, screen: Screen): () => void {
  recorder.events = {
    opened: (flow) => screen.print(`${clockTime(flow.until)}  opened  ${ends(flow)}`),
    closed: (flow) => screen.print(`${clockTime(flow.until)}  ${ending(flow)}`),
  };
  const timer = screen.isLive ? setInterval(() => screen.show(table(host, recorder)), PERIOD) : undefined;
  return () => {
    recorder.events = {};
    clearInterval(timer);
    screen.show([]);
  };
}

/** The dialling end first. */
function ends({ dialled, local, remote }: Flow): string {
  return dialled ? `${local} -> ${remote}` : `${remote} -> ${local}`;
}

function ending(flow: Flow): string {
  const { bytesIn, bytesOut, since, until, reason, wasOpen } = flow;
  if (!wasOpen) return `refused ${ends(flow)}  (${reason})`;
  const why = reason === undefined ? '' : `  (${reason})`;
  return `closed  ${ends(flow)}  in ${bytesIn}, out ${bytesOut} bytes, ${Math.round(until - since)} ms${why}`;
}

/** What `ss` would show, with the bytes that were on the link. */
function table(host: Host, recorder: Recorder): string[] {
  const sockets = host.sockets().filter(({ state }) => state !== 'LISTEN');
  const open = sockets.filter(({ state }) => state !== 'TIME-WAIT');
  const lines = open.slice(0, ROWS).map(({ state, local, remote, recvQ, sendQ }) => {
    const flow = recorder.find(local, remote);
    const bytes = flow === undefined ? '' : `  in ${size(flow.bytesIn)}  out ${size(flow.bytesOut)}`;
    return `  ${state.padEnd(12)} ${`${local} = ${remote}`.padEnd(40)} recv-q ${recvQ}  send-q ${sendQ}${bytes}`;
  });
  const more = open.length > ROWS ? [`  ... and ${open.length - ROWS} more`] : [];
  return [`  open: ${open.length}, in TIME-WAIT: ${sockets.length - open.length}. Ctrl-C ends.`, ...lines, ...more];
}

function size(bytes: number): string {
  if (bytes < 10_000) return `${bytes}`;
  return bytes < 10_000_000 ? `${Math.round(bytes / 1000)} kB` : `${Math.round(bytes / 1_000_000)} MB`;
}

function clockTime(wall: number): string {
  return new Date(wall).toTimeString().slice(0, 8);
}
